//! Places on earth in sorted sets. The rows stand here; `place` has what concerns single elements,
//! `search` what lies near something, over the `shape` that is searched and the `grid` of 52-bit
//! cells that makes a score of a place.

mod grid;
mod place;
mod search;
mod shape;
#[cfg(test)]
mod tests;

use super::spec::{Arity, DENYOOM, GEO, KeySpec, MOVABLE_KEYS, READONLY, Run, Spec, WRITE};

pub const TABLE: &[Spec] = &[
    Spec {
        name: "GEOADD",
        arity: Arity::AtLeast(5),
        flags: WRITE | DENYOOM,
        acl: GEO,
        keys: &[KeySpec::at(1, &["RW", "update"])],
        run: Run::Owner(place::geoadd),
        since: "3.2.0",
        group: "geo",
        summary: "Add one or more geospatial items in the geospatial index represented using a \
            sorted set",
        complexity: "O(log(N)) for each item added, where N is the number of elements in the \
            sorted set.",
        examples: &[
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOADD g CH \
                 13.361389 38.115556 Palermo 0 0 x",
                ":1\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOADD g NX 0 \
                 0 Palermo 0 0 x",
                ":1\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOADD g XX 0 \
                 0 x",
                ":0\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nZSCORE g \
                 Palermo",
                "$16\r\n3479099956230698\r\n",
            ),
            ("GEOADD g 181 0 x", "-ERR invalid longitude,latitude pair 181.000000,0.000000\r\n"),
            ("GEOADD g 0 86 x", "-ERR invalid longitude,latitude pair 0.000000,86.000000\r\n"),
            ("GEOADD g x 0 x", "-ERR value is not a valid float\r\n"),
            ("GEOADD g NX XX 0 0 x", "-ERR syntax error\r\n"),
            ("GEOADD g 0 0 x 1", "-ERR syntax error\r\n"),
            (
                "SET g v\nGEOADD g 0 0 x",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "GEOPOS",
        arity: Arity::AtLeast(2),
        flags: READONLY,
        acl: GEO,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(place::geopos),
        since: "3.2.0",
        group: "geo",
        summary: "Returns longitude and latitude of members of a geospatial index",
        complexity: "O(N) where N is the number of members requested.",
        examples: &[
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOPOS g \
                 Palermo Catania x",
                "*3\r\n*2\r\n$20\r\n13.36138933897018433\r\n$20\r\n38.11555639549629859\r\n*2\r\n\
                 $20\r\n15.08726745843887329\r\n$20\r\n37.50266842333162032\r\n*-1\r\n",
            ),
            ("GEOPOS g a", "*1\r\n*-1\r\n"),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOPOS g",
                "*0\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "GEOHASH",
        arity: Arity::AtLeast(2),
        flags: READONLY,
        acl: GEO,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(place::geohash),
        since: "3.2.0",
        group: "geo",
        summary: "Returns members of a geospatial index as standard geohash strings",
        complexity: "O(log(N)) for each member requested, where N is the number of elements in \
            the sorted set.",
        examples: &[
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOHASH g \
                 Palermo Catania x",
                "*3\r\n$11\r\nsqc8b49rny0\r\n$11\r\nsqdtr74hyu0\r\n$-1\r\n",
            ),
            ("GEOHASH g a", "*1\r\n$-1\r\n"),
            (
                "SET g v\nGEOHASH g a",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "GEODIST",
        arity: Arity::AtLeast(4),
        flags: READONLY,
        acl: GEO,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(place::geodist),
        since: "3.2.0",
        group: "geo",
        summary: "Returns the distance between two members of a geospatial index",
        complexity: "O(log(N))",
        examples: &[
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEODIST g \
                 Palermo Catania",
                "$11\r\n166274.1516\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEODIST g \
                 Palermo Catania km",
                "$8\r\n166.2742\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEODIST g \
                 Palermo Catania MI",
                "$8\r\n103.3182\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEODIST g \
                 Palermo Catania ft",
                "$11\r\n545518.8700\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEODIST g \
                 Palermo x",
                "$-1\r\n",
            ),
            ("GEODIST g a b", "$-1\r\n"),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEODIST g \
                 Palermo Catania x",
                "-ERR unsupported unit provided. please use M, KM, FT, MI\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEODIST g \
                 Palermo Catania m m",
                "-ERR syntax error\r\n",
            ),
            (
                "SET g v\nGEODIST g a b",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEODIST g \
                 Palermo Palermo",
                "$6\r\n0.0000\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "GEOSEARCH",
        arity: Arity::AtLeast(7),
        flags: READONLY,
        acl: GEO,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(search::geosearch),
        since: "6.2.0",
        group: "geo",
        summary: "Query a sorted set representing a geospatial index to fetch members inside an \
            area of a box or a circle.",
        complexity: "O(N+log(M)) where N is the number of elements in the grid-aligned bounding \
            box area around the shape provided as the filter and M is the number of \
            items inside the shape",
        examples: &[
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOSEARCH g \
                 FROMLONLAT 15 37 BYRADIUS 200 km ASC",
                "*2\r\n$7\r\nCatania\r\n$7\r\nPalermo\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOSEARCH g \
                 FROMLONLAT 15 37 BYBOX 400 400 km DESC WITHDIST",
                "*2\r\n*2\r\n$7\r\nPalermo\r\n$8\r\n190.4424\r\n*2\r\n$7\r\nCatania\r\n$7\r\n\
                 56.4413\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOSEARCH g \
                 FROMMEMBER Palermo BYBOX 1 1 m WITHHASH",
                "*1\r\n*2\r\n$7\r\nPalermo\r\n:3479099956230698\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOSEARCH g \
                 FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1 WITHCOORD",
                "*1\r\n*2\r\n$7\r\nCatania\r\n*2\r\n$20\r\n15.08726745843887329\r\n$20\r\n\
                 37.50266842333162032\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOSEARCH g \
                 FROMMEMBER x BYRADIUS 1 km",
                "-ERR could not decode requested zset member\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOSEARCH g \
                 BYRADIUS 200 km ASC DESC",
                "-ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOSEARCH g \
                 FROMLONLAT 15 37 ASC ASC",
                "-ERR exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOSEARCH g \
                 FROMLONLAT 15 37 FROMMEMBER Palermo BYRADIUS 1 km",
                "-ERR syntax error\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOSEARCH g \
                 FROMLONLAT 15 37 BYBOX -1 1 km",
                "-ERR height or width cannot be negative\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOSEARCH g \
                 FROMLONLAT 15 37 BYBOX x 1 km",
                "-ERR need numeric width\r\n",
            ),
            ("GEOSEARCH g FROMMEMBER x BYRADIUS 1 km", "*0\r\n"),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOSEARCH g \
                 FROMLONLAT 15 37 BYRADIUS 200 km ANY",
                "-ERR the ANY argument requires COUNT argument\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOSEARCH g \
                 FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST",
                "-ERR syntax error\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "GEOSEARCHSTORE",
        arity: Arity::AtLeast(8),
        flags: WRITE | DENYOOM,
        acl: GEO,
        keys: &[KeySpec::at(1, &["OW", "update"]), KeySpec::at(2, &["RO", "access"])],
        run: Run::Owner(search::geosearchstore),
        since: "6.2.0",
        group: "geo",
        summary: "Query a sorted set representing a geospatial index to fetch members inside an \
            area of a box or a circle, and store the result in another key.",
        complexity: "O(N+log(M)) where N is the number of elements in the grid-aligned bounding \
            box area around the shape provided as the filter and M is the number of \
            items inside the shape",
        examples: &[
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOSEARCHSTORE \
                 o g FROMLONLAT 15 37 BYBOX 400 400 km",
                ":2\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOSEARCHSTORE \
                 o g FROMLONLAT 15 37 BYBOX 400 400 km ASC COUNT 1\nZRANGE o 0 -1",
                "*1\r\n$7\r\nCatania\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOSEARCHSTORE \
                 o g FROMMEMBER Palermo BYRADIUS 0 m STOREDIST\nZRANGE o 0 -1 WITHSCORES",
                "*2\r\n$7\r\nPalermo\r\n$1\r\n0\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEOSEARCHSTORE \
                 o g FROMMEMBER Palermo BYRADIUS 1 m WITHDIST",
                "-ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD \
                 options\r\n",
            ),
            ("SET o v\nGEOSEARCHSTORE o g FROMMEMBER x BYRADIUS 1 m\nEXISTS o", ":0\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "GEORADIUS",
        arity: Arity::AtLeast(6),
        flags: WRITE | DENYOOM | MOVABLE_KEYS,
        acl: GEO,
        keys: &[
            KeySpec::at(1, &["RO", "access"]),
            KeySpec::after(6, "STORE", &["OW", "update"]),
            KeySpec::after(6, "STOREDIST", &["OW", "update"]),
        ],
        run: Run::Owner(search::georadius),
        since: "3.2.0",
        group: "geo",
        summary: "Query a sorted set representing a geospatial index to fetch members matching \
            a given maximum distance from a point",
        complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of \
            the circular area delimited by center and radius and M is the number of \
            items inside the index.",
        examples: &[
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEORADIUS g 15 \
                 37 200 km WITHDIST ASC",
                "*2\r\n*2\r\n$7\r\nCatania\r\n$7\r\n56.4413\r\n*2\r\n$7\r\nPalermo\r\n$8\r\n\
                 190.4424\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEORADIUS g 15 \
                 37 200 km WITHCOORD ASC",
                "*2\r\n*2\r\n$7\r\nCatania\r\n*2\r\n$20\r\n15.08726745843887329\r\n$20\r\n\
                 37.50266842333162032\r\n*2\r\n$7\r\nPalermo\r\n*2\r\n$20\r\n\
                 13.36138933897018433\r\n$20\r\n38.11555639549629859\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEORADIUS g 15 \
                 37 200 km WITHDIST WITHCOORD WITHHASH DESC",
                "*2\r\n*4\r\n$7\r\nPalermo\r\n$8\r\n190.4424\r\n:3479099956230698\r\n*2\r\n$20\r\n\
                 13.36138933897018433\r\n$20\r\n38.11555639549629859\r\n*4\r\n$7\r\nCatania\r\n\
                 $7\r\n56.4413\r\n:3479447370796909\r\n*2\r\n$20\r\n15.08726745843887329\r\n\
                 $20\r\n37.50266842333162032\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEORADIUS g 15 \
                 37 200 km COUNT 1",
                "*1\r\n$7\r\nCatania\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEORADIUS g 15 \
                 37 200 km STORE o\nZRANGE o 0 -1 WITHSCORES",
                "*4\r\n$7\r\nPalermo\r\n$16\r\n3479099956230698\r\n$7\r\nCatania\r\n$16\r\n\
                 3479447370796909\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEORADIUS g 15 \
                 37 200 km STOREDIST o\nZCARD o",
                ":2\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEORADIUS g 15 \
                 37 200 km STORE o WITHDIST",
                "-ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and \
                 WITHCOORD options\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEORADIUS g 15 \
                 37 -1 km",
                "-ERR radius cannot be negative\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEORADIUS g 15 \
                 37 x km",
                "-ERR need numeric radius\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEORADIUS g 15 \
                 37 1 parsec",
                "-ERR unsupported unit provided. please use M, KM, FT, MI\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEORADIUS g \
                 200 37 1 km",
                "-ERR invalid longitude,latitude pair 200.000000,37.000000\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEORADIUS g 15 \
                 37 200 km COUNT 0",
                "-ERR COUNT must be > 0\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEORADIUS g 15 \
                 37 200 km ANY",
                "-ERR the ANY argument requires COUNT argument\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEORADIUS g 15 \
                 37 200 km FOO",
                "-ERR syntax error\r\n",
            ),
            ("GEORADIUS g 15 37 200 km", "*0\r\n"),
            ("SET o v\nGEORADIUS g 15 37 200 km STORE o\nEXISTS o", ":0\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "GEORADIUS_RO",
        arity: Arity::AtLeast(6),
        flags: READONLY,
        acl: GEO,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(search::georadius_ro),
        since: "3.2.10",
        group: "geo",
        summary: "A read-only variant for GEORADIUS",
        complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of \
            the circular area delimited by center and radius and M is the number of \
            items inside the index.",
        examples: &[
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEORADIUS_RO g \
                 15 37 100 km",
                "*1\r\n$7\r\nCatania\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\nGEORADIUS_RO g \
                 15 37 100 km STORE o",
                "-ERR syntax error\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "GEORADIUSBYMEMBER",
        arity: Arity::AtLeast(5),
        flags: WRITE | DENYOOM | MOVABLE_KEYS,
        acl: GEO,
        keys: &[
            KeySpec::at(1, &["RO", "access"]),
            KeySpec::after(5, "STORE", &["OW", "update"]),
            KeySpec::after(5, "STOREDIST", &["OW", "update"]),
        ],
        run: Run::Owner(search::georadiusbymember),
        since: "3.2.0",
        group: "geo",
        summary: "Query a sorted set representing a geospatial index to fetch members matching \
            a given maximum distance from a member",
        complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of \
            the circular area delimited by center and radius and M is the number of \
            items inside the index.",
        examples: &[
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\n\
                 GEORADIUSBYMEMBER g Palermo 200 km ASC",
                "*2\r\n$7\r\nPalermo\r\n$7\r\nCatania\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\n\
                 GEORADIUSBYMEMBER g x 200 km",
                "-ERR could not decode requested zset member\r\n",
            ),
            ("GEORADIUSBYMEMBER g x y z", "*0\r\n"),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\n\
                 GEORADIUSBYMEMBER g Catania 1 m STORE o\nZRANGE o 0 -1",
                "*1\r\n$7\r\nCatania\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "GEORADIUSBYMEMBER_RO",
        arity: Arity::AtLeast(5),
        flags: READONLY,
        acl: GEO,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(search::georadiusbymember_ro),
        since: "3.2.10",
        group: "geo",
        summary: "A read-only variant for GEORADIUSBYMEMBER",
        complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of \
            the circular area delimited by center and radius and M is the number of \
            items inside the index.",
        examples: &[
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\n\
                 GEORADIUSBYMEMBER_RO g Palermo 200 mi DESC",
                "*2\r\n$7\r\nCatania\r\n$7\r\nPalermo\r\n",
            ),
            (
                "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania\n\
                 GEORADIUSBYMEMBER_RO g Palermo 200 km STORE o",
                "-ERR syntax error\r\n",
            ),
        ],
        ..Spec::ROW
    },
];
