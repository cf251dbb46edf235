//! Every way of writing, failed at every one of its system calls: by an error, by a kill, by a power cut.

mod disk;
mod errors;
mod kill;
mod log;
mod power_cut;
mod protocols;
mod sweeping;
