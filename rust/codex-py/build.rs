//! Refuses a checkout in which the links to `kernels/` and `configs/` are not folders, and notes the commit.

use std::path::Path;
use std::process::Command;

fn main() {
    // Asked for when it runs, not compiled in: checkouts at two places may share a build folder.
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the folder of the crate it builds");
    let package = Path::new(&manifest).join("../../python/codex");
    for name in ["kernels", "configs"] {
        let link = package.join(name);
        assert!(
            link.is_dir(),
            "`{}` is not a folder, so the wheel would ship without it; hint: `git config core.symlinks true`, then check the tree out again",
            link.display()
        );
        println!("cargo:rerun-if-changed={}", link.display());
    }
    println!("cargo:rerun-if-env-changed=CODEX_BUILD_COMMIT");
    let commit = std::env::var("CODEX_BUILD_COMMIT").unwrap_or_else(|_| head().unwrap_or_default());
    println!("cargo:rustc-env=CODEX_BUILD_COMMIT={commit}");
}

/// The commit of the checkout, or nothing where there is none (an sdist).
fn head() -> Option<String> {
    let output = Command::new("git").args(["rev-parse", "HEAD"]).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
