//! landfast: the administrator's command.
