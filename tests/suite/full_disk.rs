//! Guards the screen against a disk that takes nothing more: what could not be saved is said to be unsaved and is kept, goes to
//! the disk by itself when there is room again, and is told of by the one who ends the program before.

use std::{fs, path::Path, process::Command};

use crate::{
    annotate::{discs, project, screen, stored},
    pty::Pty,
};

/// Lets no file of the program grow beyond `most` bytes, or lets them grow again.
fn limit(pty: &Pty, most: Option<u64>) {
    let soft = most.map_or_else(|| "unlimited".to_owned(), |most| most.to_string());
    let arguments = [format!("--pid={}", pty.id()), format!("--fsize={soft}:unlimited")];
    assert!(Command::new("prlimit").args(arguments).status().unwrap().success());
}

fn check(home: &Path) {
    let connection = rusqlite::Connection::open(home.join("rival10.db")).unwrap();
    let said: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(said, "ok");
}

/// A screen with one dab saved and another that found no room.
fn stuck(home: &Path) -> Pty {
    let mut pty = screen(home);
    pty.send(" ");
    pty.shows("saved 1");
    limit(&pty, Some(4096));
    pty.send("9l ");
    pty.shows("NOT SAVED: 1 change");
    pty
}

#[test]
fn strokes_wait_for_room_and_are_all_there_when_it_comes() {
    let home = tempfile::tempdir().unwrap();
    project(home.path());
    let mut pty = stuck(home.path());
    pty.shows("tries again now");
    // The hand goes on, and everything waits in its order.
    pty.send("9l 9h9h9h 'w ");
    pty.shows("NOT SAVED: 5 changes");
    let before = stored(home.path()).2;
    assert_eq!(before["object"], discs(9, &[(32, 24)]), "what was saved is there, and nothing by halves");
    pty.send("q");
    pty.shows("5 changes are not saved; q again does it all the same");
    limit(&pty, None);
    pty.send("\x13");
    pty.shows("saved 6");
    pty.wait("end of the trouble", |text| !text.contains("NOT SAVED"));
    pty.send("q");
    assert_eq!(pty.end(), 0);
    let (_, attributes, masks) = stored(home.path());
    assert_eq!(masks["object"], discs(9, &[(32, 24), (41, 24), (50, 24), (23, 24)]));
    assert_eq!(masks["attribute wings"], discs(9, &[(23, 24)]));
    assert!(attributes.contains('y'));
    check(home.path());
}

#[test]
fn who_ends_it_before_there_is_room_is_told_what_is_lost_and_the_rest_is_whole() {
    for way in ["quit", "hangup"] {
        let home = tempfile::tempdir().unwrap();
        project(home.path());
        let mut pty = stuck(home.path());
        if way == "quit" {
            pty.send("q");
            pty.shows("q again does it all the same");
            pty.send("q");
        } else {
            pty.signal("TERM");
        }
        assert_eq!(pty.end(), 1, "{way}");
        assert!(pty.is_given_back());
        assert!(pty.text().contains("the last changes were NOT saved"), "{way}: {}", pty.text());
        assert_eq!(stored(home.path()).2["object"], discs(9, &[(32, 24)]));
        check(home.path());
        // Another day, with room: undo goes on from there.
        let mut pty = screen(home.path());
        pty.send("u");
        pty.shows("taken back: draw object");
        pty.send("q");
        assert_eq!(pty.end(), 0);
    }
}

/// A disk of its own, taken away at the end.
struct Disk(tempfile::TempDir);

impl Disk {
    /// None where nobody may mount one.
    fn of(kilobytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={kilobytes}k");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(folder.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(folder))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_disk_that_is_really_full_says_so_and_takes_strokes_again_once_there_is_room() {
    let Some(disk) = Disk::of(4096) else {
        println!("skipped: this user may not mount a small disk; the test by a limit of the files' size has run");
        return;
    };
    let home = disk.0.path();
    project(home);
    let mut pty = screen(home);
    pty.send(" ");
    pty.shows("saved 1");
    let fill = home.join("fill");
    // What a write can't take is cut off: the disk is full to the last page.
    assert!(fs::write(&fill, vec![7_u8; 8 << 20]).is_err());
    // Pages that the file has already may still take a stroke or two.
    let mut painted = vec![(32, 24)];
    while !pty.text().contains("NOT SAVED") {
        let next = painted.len() as i64;
        assert!(next < 400, "{}", pty.text());
        pty.send(if next % 24 == 0 { "23hj " } else { "l " });
        painted.push((32 + next % 24, 24 + next / 24));
        std::thread::sleep(std::time::Duration::from_millis(30));
    }
    pty.shows("the disk is full");
    fs::remove_file(&fill).unwrap();
    pty.wait("end of the trouble", |text| !text.contains("NOT SAVED") && !text.contains("saving"));
    pty.send("q");
    assert_eq!(pty.end(), 0);
    check(home);
    assert_eq!(stored(home).2["object"], discs(9, &painted));
}
