//! Whether a folder lies on a network file system, where SQLite's locks and shared memory can't be trusted: two machines
//! that write one project there destroy it.

use std::path::Path;

/// File systems that other machines may write to at the same time, by what `statfs` calls them (linux/magic.h), and their
/// names. FUSE stands for sshfs and its kin; what it mounts locally can be allowed by the flag.
const NETWORK: &[(u32, &str)] = &[
    (0x6969, "NFS"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x517b, "SMB"),
    (0x0102_1997, "9P"),
    (0x6573_5546, "FUSE, as sshfs"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x7375_7245, "Coda"),
    (0x4750_4653, "GPFS"),
    (0x0bd0_0bd0, "Lustre"),
    (0x0102_0304, "BeeGFS"),
];

/// The name of the network file system that `dir` lies on; None if it lies on none that is known, or nobody can say.
#[must_use]
pub(super) fn network_file_system(dir: &Path) -> Option<&'static str> {
    magic(dir).and_then(name_of)
}

fn name_of(magic: u32) -> Option<&'static str> {
    NETWORK.iter().find(|(known, _)| *known == magic).map(|(_, name)| *name)
}

/// What the system calls the file system of `dir`.
#[cfg(target_os = "linux")]
fn magic(dir: &Path) -> Option<u32> {
    let found = rustix::fs::statfs(dir).ok()?;
    // A word of the machine's size, of which the lower half holds the number.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::allow_attributes,
        reason = "the lower half"
    )]
    #[allow(clippy::unnecessary_cast, reason = "the type differs between machines")]
    Some(found.f_type as u32)
}

#[cfg(not(target_os = "linux"))]
fn magic(_: &Path) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_of_one_machine_are_none_of_the_network() {
        // ext4, btrfs, xfs, tmpfs, overlayfs, zfs, f2fs, squashfs.
        for magic in [0xef53, 0x9123_683e, 0x5846_5342, 0x0102_1994, 0x794c_7630, 0x2fc1_2fc1, 0xf2f5_2010, 0x7371_7368]
        {
            assert_eq!(name_of(magic), None, "{magic:x}");
        }
    }

    #[test]
    fn every_network_file_system_is_known_once() {
        for (i, (magic, name)) in NETWORK.iter().enumerate() {
            assert_eq!(name_of(*magic), Some(*name));
            assert!(NETWORK[i + 1..].iter().all(|(other, _)| other != magic));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernel_says_what_a_folder_lies_on() {
        assert_eq!(magic(Path::new("/proc")), Some(0x9fa0), "procfs, by linux/magic.h");
        assert_eq!(magic(Path::new("/nowhere/at/all")), None);
    }
}
