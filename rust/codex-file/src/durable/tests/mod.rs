//! Every way of writing, failed at every one of its system calls: by an error, by a kill, by a power cut.

mod errors;
mod kill;
mod power_cut;
mod protocols;
mod sweeping;
