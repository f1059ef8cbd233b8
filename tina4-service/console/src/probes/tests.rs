use std::net::SocketAddr;

use tina4_service::Runner;

use super::*;

fn status(method: &str, path: &str, peer: &str) -> u16 {
    let runner = Runner::new();
    let peer = Peer::Tcp(peer.parse::<SocketAddr>().expect("an address"));
    let request = Request { peer, ..Request::new(method, path) };
    answer(&Console::new(&runner), &request).status
}

#[test]
fn rule_113_a_probe_port_answers_nothing_but_probes() {
    for path in ["", "/", "/services", "/events", "/livez/", "/metrics/x", "/services/web/run"] {
        assert_eq!(status("GET", path, "10.0.0.1:1"), 404, "{path}");
        assert_eq!(status("POST", path, "10.0.0.1:1"), 404, "{path}");
    }
    for path in PATHS {
        assert_eq!(status("POST", path, "10.0.0.1:1"), 405, "{path}");
    }
}
