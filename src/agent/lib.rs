//! landfastd: holds the licenses of this machine and answers applications.
