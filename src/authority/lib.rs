//! landfast-authority: the vendor's side; signs grants, keeps history.
