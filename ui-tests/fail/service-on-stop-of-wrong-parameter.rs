use tina4_service::Service;

fn flush(_files: u32) {}

fn main() {
    let _ = Service::new("heartbeat", |_| {}).on_stop_of(flush);
}

// rules 151, 180
