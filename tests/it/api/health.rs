//! `/healthz` and `/readyz`: what a supervisor or a load balancer asks.

use crate::harness::{Backend, Server, TestDatabase};

both!(a_server_with_its_database_is_alive_and_ready);
fn a_server_with_its_database_is_alive_and_ready(backend: Backend) {
    let server = Server::start(backend);
    server.client.get("/healthz", &[]).expect_status(200);
    server.client.get("/readyz", &[]).expect_status(200);
}

both!(a_server_with_pending_migrations_is_alive_but_not_ready);
fn a_server_with_pending_migrations_is_alive_but_not_ready(backend: Backend) {
    let server = Server::on(TestDatabase::empty(backend), &[]);
    server.client.get("/healthz", &[]).expect_status(200);
    server.client.get("/readyz", &[]).expect_status(503);
}
