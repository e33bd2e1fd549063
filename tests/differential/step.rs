//! What a random run consists of. A chapter starts from two empty servers, so it can be replayed
//! and shortened alone; its turns are played in pipelines on one of two connections.

/// A request as its arguments.
pub type Request = Vec<Vec<u8>>;

/// Connections per server: with two, one request sees what the other connection did.
pub const CONNECTIONS: usize = 2;

/// One move of the run.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sent to both, replies compared.
    Plain(Request),
    /// A request that lets a key end within milliseconds; both are asked until it is gone.
    Lapse(Request, Vec<u8>),
    /// A whole SCAN iteration with these options; the sets of keys are compared.
    Scan(Request),
    /// RANDOMKEY: the answers need not be equal, but must exist.
    RandomKey,
    /// Several requests of which only the last is answered (CLIENT REPLY).
    Quiet(Vec<Request>),
    /// A command that redis-server 7.0 does not know, checked against a model over it.
    Newer(Request),
    /// QUIT: answered, then closed; the connection is made anew.
    Quit,
    /// Every key of every database used: type, value, encoding, time to live.
    Audit,
}

/// A step, where it is played, and whether the pipeline is sent behind it.
#[derive(Clone, Debug)]
pub struct Turn {
    pub connection: usize,
    pub step: Step,
    pub sends: bool,
}

/// A request from words.
pub fn request(words: &[&str]) -> Request {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

/// The command's name in upper case, with its subcommand where it has one: `CLIENT LIST`.
pub fn name_of(request: &[Vec<u8>]) -> String {
    const CONTAINERS: &[&str] =
        &["CLIENT", "CONFIG", "COMMAND", "OBJECT", "MEMORY", "DEBUG", "CLUSTER"];
    let word = |at: usize| {
        let bytes = request.get(at).map(Vec::as_slice).unwrap_or_default();
        String::from_utf8_lossy(bytes).to_uppercase()
    };
    let name = word(0);
    if CONTAINERS.contains(&name.as_str()) { format!("{name} {}", word(1)) } else { name }
}
