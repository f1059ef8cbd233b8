use tina4_service::Service;

fn main() {
    let _ = Service::new("heartbeat", |ctx| {
        if ctx.is_stopping() {
            return Err("stopping");
        }
        Ok(30)
    });
}

// rule 153
