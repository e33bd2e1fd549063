//! Cluster mode, and how this host presents itself to cluster clients.

use super::super::kinds::ClusterView;
use super::super::value::Kind;
use super::{ANY_TEXT, OptionRow, PORT, field};

pub(super) const ROWS: &[OptionRow] = &[
    OptionRow::new("cluster-enabled", Kind::Bool, "no", field!(cluster_enabled))
        .at_start()
        .says("Answer cluster clients: CLUSTER SLOTS, MOVED on core ports, one database"),
    OptionRow::new("cluster-view", Kind::Choice(ClusterView::NAMES), "host", field!(cluster_view))
        .says("Show one endpoint for the host, or one for each core (needs core-port-base)"),
    OptionRow::new(
        "cluster-databases",
        Kind::Integer { min: 1, max: 256 },
        "1",
        field!(cluster_databases),
    )
    .at_start()
    .says("Databases that SELECT can choose from in cluster mode"),
    OptionRow::new("cluster-announce-ip", ANY_TEXT, "", field!(cluster_announce_ip))
        .says("Address that cluster clients are sent to; empty uses the one they came by"),
    OptionRow::new("cluster-announce-port", PORT, "0", field!(cluster_announce_port))
        .says("Port that cluster clients are sent to in view `host`; 0 uses `port`"),
];
