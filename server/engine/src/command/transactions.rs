//! MULTI and its kin: several requests that run as one, alone. The rows are here; what they do is
//! the shard's (`shard::transaction`), for it concerns the connection's queue and all cores.

use super::spec::{
    ALLOW_BUSY, Arity, Control, FAST, KeySpec, LOADING, NOSCRIPT, Run, SKIP_SLOWLOG, STALE, Spec,
    TRANSACTION,
};

pub const TABLE: &[Spec] = &[
    Spec {
        name: "MULTI",
        arity: Arity::Exactly(1),
        flags: NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY,
        acl: TRANSACTION,
        run: Run::Transaction(Control::Begin),
        since: "1.2.0",
        group: "transactions",
        summary: "Mark the start of a transaction block",
        examples: &[
            ("MULTI", "+OK\r\n"),
            ("MULTI\nMULTI", "-ERR MULTI calls can not be nested\r\n"),
            ("MULTI\nMULTI\nEXEC", "*0\r\n"),
            ("MULTI\nSET a 1", "+QUEUED\r\n"),
            ("MULTI\nSET a 1\nRESET\nGET a", "$-1\r\n"),
            ("MULTI\nSHUTDOWN", "-ERR Command not allowed inside a transaction\r\n"),
            ("MULTI x", "-ERR wrong number of arguments for 'multi' command\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "EXEC",
        arity: Arity::Exactly(1),
        flags: NOSCRIPT | LOADING | STALE | SKIP_SLOWLOG,
        acl: TRANSACTION,
        run: Run::Transaction(Control::Execute),
        since: "1.2.0",
        group: "transactions",
        summary: "Execute all commands issued after MULTI",
        complexity: "Depends on commands in the transaction",
        examples: &[
            ("EXEC", "-ERR EXEC without MULTI\r\n"),
            ("MULTI\nEXEC", "*0\r\n"),
            (
                "MULTI\nSET a 1\nINCR a\nMGET a b\nEXEC",
                "*3\r\n+OK\r\n:2\r\n*2\r\n$1\r\n2\r\n$-1\r\n",
            ),
            (
                "MULTI\nSET a x\nINCR a\nGET a\nEXEC",
                "*3\r\n+OK\r\n-ERR value is not an integer or out of range\r\n$1\r\nx\r\n",
            ),
            (
                "MULTI\nMSET a 1 b 2 c 3\nRENAME a d\nDEL b\nMGET a b c d\nEXEC",
                "*4\r\n+OK\r\n+OK\r\n:1\r\n*4\r\n$-1\r\n$-1\r\n$1\r\n3\r\n$1\r\n1\r\n",
            ),
            (
                "MULTI\nMSET a 1 b 2 c 3\nDBSIZE\nFLUSHALL\nDBSIZE\nPING\nEXEC",
                "*5\r\n+OK\r\n:3\r\n+OK\r\n:0\r\n+PONG\r\n",
            ),
            (
                "SET a 0\nMULTI\nSELECT 1\nSET a 1\nSELECT x\nGET a\nEXEC",
                "*4\r\n+OK\r\n+OK\r\n-ERR value is not an integer or out of range\r\n$1\r\n1\r\n",
            ),
            ("MULTI\nSELECT 1\nSET a 1\nEXEC\nGET a", "$1\r\n1\r\n"),
            (
                "MULTI\nCLIENT SETNAME me\nGET a\nCLIENT GETNAME\nEXEC",
                "*3\r\n+OK\r\n$-1\r\n$2\r\nme\r\n",
            ),
            (
                "MULTI\nNOSUCH\nSET a 1\nEXEC",
                "-EXECABORT Transaction discarded because of previous errors.\r\n",
            ),
            (
                "MULTI\nGET\nEXEC",
                "-EXECABORT Transaction discarded because of previous errors.\r\n",
            ),
            ("MULTI\nSET a 1\nSET b\nEXEC\nEXISTS a", ":0\r\n"),
            (
                "MULTI\nEXEC now",
                "-EXECABORT Transaction discarded because of: wrong number of arguments for \
                 'exec' command\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "DISCARD",
        arity: Arity::Exactly(1),
        flags: NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY,
        acl: TRANSACTION,
        run: Run::Transaction(Control::Discard),
        since: "2.0.0",
        group: "transactions",
        summary: "Discard all commands issued after MULTI",
        complexity: "O(N), when N is the number of queued commands",
        examples: &[
            ("DISCARD", "-ERR DISCARD without MULTI\r\n"),
            ("MULTI\nSET a 1\nDISCARD", "+OK\r\n"),
            ("MULTI\nSET a 1\nDISCARD\nGET a", "$-1\r\n"),
            ("WATCH a\nSET a 1\nMULTI\nDISCARD\nMULTI\nEXEC", "*0\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "WATCH",
        arity: Arity::AtLeast(2),
        flags: NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY,
        acl: TRANSACTION,
        keys: &[KeySpec::from(1, 1, &["RO"])],
        run: Run::Transaction(Control::Watch),
        since: "2.2.0",
        group: "transactions",
        summary: "Watch the given keys to determine execution of the MULTI/EXEC block",
        complexity: "O(1) for every key.",
        examples: &[
            ("WATCH a b c", "+OK\r\n"),
            ("MULTI\nWATCH a", "-ERR WATCH inside MULTI is not allowed\r\n"),
            ("MULTI\nWATCH a\nEXEC", "*0\r\n"),
            ("WATCH a b\nSET c 1\nMULTI\nGET c\nEXEC", "*1\r\n$1\r\n1\r\n"),
            ("WATCH a b\nSET b 1\nMULTI\nGET b\nEXEC", "*-1\r\n"),
            ("WATCH a b\nSET b 1\nMULTI\nEXEC\nMULTI\nEXEC", "*0\r\n"),
            ("SET a 1\nWATCH a\nSET a 1\nMULTI\nEXEC", "*-1\r\n"),
            ("SET a 1\nWATCH a\nEXPIRE a 100\nMULTI\nEXEC", "*-1\r\n"),
            ("SET a 1\nWATCH a\nGET a\nMULTI\nEXEC", "*0\r\n"),
            ("SET a 1\nWATCH a\nDEL b\nMULTI\nEXEC", "*0\r\n"),
            ("WATCH a\nSELECT 1\nSET a 1\nMULTI\nEXEC", "*0\r\n"),
            ("SET a 1\nWATCH a\nFLUSHALL\nMULTI\nEXEC", "*-1\r\n"),
            ("WATCH a\nFLUSHALL\nMULTI\nEXEC", "*0\r\n"),
            ("SET a 1\nWATCH a b c\nSWAPDB 0 1\nMULTI\nEXEC", "*-1\r\n"),
            ("SELECT 1\nSET a 1\nSELECT 0\nWATCH a\nSWAPDB 0 1\nMULTI\nEXEC", "*-1\r\n"),
            ("WATCH a\nSWAPDB 0 1\nMULTI\nEXEC", "*0\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "UNWATCH",
        arity: Arity::Exactly(1),
        flags: NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY,
        acl: TRANSACTION,
        run: Run::Transaction(Control::Unwatch),
        since: "2.2.0",
        group: "transactions",
        summary: "Forget about all watched keys",
        examples: &[
            ("UNWATCH", "+OK\r\n"),
            ("WATCH a b\nSET a 1\nUNWATCH\nMULTI\nEXEC", "*0\r\n"),
            ("WATCH a\nSET a 1\nMULTI\nUNWATCH\nEXEC", "*-1\r\n"),
            ("MULTI\nUNWATCH\nEXEC", "*1\r\n+OK\r\n"),
        ],
        ..Spec::ROW
    },
];
