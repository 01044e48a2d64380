//! The image that all field servers start from, built once for a recipe and kept in cargo's target directory.

use super::process::run;
use super::recipe;
use crate::steps::execute;
use crate::tools;
use anyhow::{Context, Result, bail, ensure};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A built image.
pub struct Image {
    /// The disk, which machines only read.
    pub disk: PathBuf,
    /// The kernel, which is started without a boot loader.
    pub kernel: PathBuf,
    /// What root may log in with.
    pub ssh_key: PathBuf,
}

impl Image {
    fn of(directory: &Path) -> Self {
        let file = |name| directory.join(name);
        Self { disk: file("disk.raw"), kernel: file("vmlinuz"), ssh_key: file("ssh_key") }
    }
}

/// Where the image of the present recipe is kept.
pub fn place(cache: &Path) -> PathBuf {
    cache.join(format!("image-{}", recipe::key()))
}

/// The image, built if need be: some minutes, and some hundred megabytes from Debian.
pub fn ensure(cache: &Path) -> Result<Image> {
    let place = place(cache);
    if !place.exists() {
        ensure!(
            tools::is_root()?,
            "only root can build the image of a field server; have root run this once"
        );
        println!("building the image of a field server, once (some minutes)");
        let building = cache.join("building");
        remove(&building)?;
        std::fs::create_dir_all(&building)?;
        build(&building)?;
        forget_others(cache)?;
        std::fs::rename(&building, &place)?;
    }
    Ok(Image::of(&place))
}

/// Removes a directory of the lab with everything in it, unless something is mounted there.
pub fn remove(directory: &Path) -> Result<()> {
    if !directory.exists() {
        return Ok(());
    }
    let mounts = std::fs::read_to_string("/proc/mounts")?;
    let real = directory.canonicalize()?;
    let inside = |line: &str| line.split(' ').nth(1).is_some_and(|point| Path::new(point).starts_with(&real));
    if mounts.lines().any(inside) {
        bail!("something is mounted below {}; unmount it first", directory.display());
    }
    std::fs::remove_dir_all(directory).with_context(|| format!("removing {}", directory.display()))
}

fn build(directory: &Path) -> Result<()> {
    let image = Image::of(directory);
    let (tar, root) = (directory.join("root.tar"), directory.join("root"));
    let mut debian = Command::new("mmdebstrap");
    debian.args(["--quiet", &format!("--variant={}", recipe::VARIANT)]);
    debian.arg(format!("--include={}", recipe::PACKAGES.join(",")));
    execute(debian.arg(recipe::SUITE).arg(&tar))?;
    std::fs::create_dir(&root)?;
    execute(
        Command::new("tar").args(["--extract", "--numeric-owner", "--file"]).arg(&tar).arg("-C").arg(&root),
    )?;
    furnish(&root, &image)?;
    std::fs::File::create(&image.disk)?.set_len(recipe::DISK_BYTES)?;
    execute(Command::new("mkfs.ext4").args(["-q", "-F", "-L", "root", "-d"]).arg(&root).arg(&image.disk))?;
    std::fs::remove_file(&tar)?;
    remove(&root)
}

/// Puts what the recipe names into the image, and takes kernel and key out of it.
fn furnish(root: &Path, image: &Image) -> Result<()> {
    for (path, content) in recipe::FILES {
        write(&root.join(path), content)?;
    }
    let units = root.join("etc/systemd/system");
    for unit in recipe::MASKED {
        link("/dev/null", &units.join(unit))?;
    }
    for unit in recipe::UNWANTED {
        std::fs::remove_file(units.join(unit)).with_context(|| format!("unlinking {unit}"))?;
    }
    for (target, unit) in recipe::WANTED {
        let name = Path::new(unit).file_name().context("a unit has a name")?;
        link(unit, &units.join(target).join(name))?;
    }
    let key = image.ssh_key.display().to_string();
    run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", &key]))?.ok()?;
    let public = std::fs::read_to_string(image.ssh_key.with_extension("pub"))?;
    let authorized = root.join("root/.ssh/authorized_keys");
    write(&authorized, &public)?;
    std::fs::set_permissions(authorized, PermissionsExt::from_mode(0o600))?;
    let kernel = std::fs::read_dir(root.join("boot"))?.flatten().map(|entry| entry.path());
    let kernel = kernel.into_iter().find(|path| is_kernel(path)).context("the image has no kernel")?;
    std::fs::copy(&kernel, &image.kernel).with_context(|| format!("copying {}", kernel.display()))?;
    Ok(())
}

fn is_kernel(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"vmlinuz-"))
}

fn write(path: &Path, content: &str) -> Result<()> {
    let parent = path.parent().context("a file stands in a directory")?;
    std::fs::create_dir_all(parent)?;
    std::fs::write(path, content).with_context(|| format!("writing {}", path.display()))
}

fn link(to: &str, path: &Path) -> Result<()> {
    std::fs::create_dir_all(path.parent().context("a link stands in a directory")?)?;
    // Packages enable some of these themselves.
    let _ = std::fs::remove_file(path);
    symlink(to, path).with_context(|| format!("linking {}", path.display()))
}

/// Images of other recipes.
fn forget_others(cache: &Path) -> Result<()> {
    for entry in std::fs::read_dir(cache)?.flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(b"image-") {
            remove(&entry.path())?;
        }
    }
    Ok(())
}
