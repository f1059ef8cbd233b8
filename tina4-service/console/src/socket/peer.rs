//! Who has opened the socket, and what that allows.

use std::os::unix::net::UnixStream;

use crate::access::Access;
use crate::peer::UnixPeer;

/// The process at the other end, as the kernel tells.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn identify(stream: &UnixStream, readers: &[u32]) -> UnixPeer {
    let Ok(credentials) = rustix::net::sockopt::socket_peercred(stream) else {
        return UnixPeer { uid: None, gid: None, pid: None, user: None, access: Access::None };
    };
    let (uid, gid) = (credentials.uid.as_raw(), credentials.gid.as_raw());
    let access = access(uid, gid, rustix::process::geteuid().as_raw(), readers);
    let pid = Some(credentials.pid.as_raw_nonzero().get());
    UnixPeer { uid: Some(uid), gid: Some(gid), pid, user: user_name(uid), access }
}

/// The process at the other end. Nobody tells who it is; the permissions of the files have let it in.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn identify(_: &UnixStream, readers: &[u32]) -> UnixPeer {
    // With readers, it may be one of them.
    let access = if readers.is_empty() { Access::Operate } else { Access::Read };
    UnixPeer { uid: None, gid: None, pid: None, user: None, access }
}

/// What a process of this user and group may do.
#[cfg(any(test, target_os = "linux", target_os = "android"))]
fn access(uid: u32, gid: u32, own: u32, readers: &[u32]) -> Access {
    if uid == own || uid == 0 {
        Access::Operate
    } else if readers.contains(&gid) {
        Access::Read
    } else {
        Access::None
    }
}

/// The name of a user in the file of users. Users of a directory service are known by their number only.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn user_name(uid: u32) -> Option<String> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    find_user(&users, uid).map(str::to_owned)
}

#[cfg(any(test, target_os = "linux", target_os = "android"))]
fn find_user(users: &str, uid: u32) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_115_the_owner_and_root_operate_a_group_reads_and_others_see_nothing() {
        for (uid, gid, expected) in [
            (1000, 1000, Access::Operate),
            (0, 0, Access::Operate),
            (1001, 50, Access::Read),
            (1001, 1000, Access::None),
            (65534, 65534, Access::None),
        ] {
            assert_eq!(access(uid, gid, 1000, &[50]), expected, "{uid}:{gid}");
        }
        assert_eq!(access(1001, 50, 1000, &[]), Access::None);
    }

    #[test]
    fn rule_115_a_user_has_a_name_if_the_system_knows_one() {
        let users =
            "root:x:0:0:root:/root:/bin/sh\n+::::::\ndeploy:x:1000:1000::/home/deploy:/bin/sh\n";
        assert_eq!(find_user(users, 1000), Some("deploy"));
        assert_eq!(find_user(users, 0), Some("root"));
        assert_eq!(find_user(users, 5), None);
    }
}
