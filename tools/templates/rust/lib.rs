//! @NAME@: a plugin for the TFTP server tftpkit. It answers hello.txt and declines every other name.
//! tftpkit.rs beside this file is the contract <tftpkit/plugin.h> for Rust; README.md says how to go on.

mod tftpkit;

use tftpkit::{Answer, Failure, Host, Plugin, Request};

struct @CLASS@ {
    line: Vec<u8>,
}

impl Plugin for @CLASS@ {
    /// Settings are read and checked here; what goes wrong is told to the operator.
    fn create(host: Host) -> Result<Self, Failure> {
        let greeting = host.setting("/greeting").unwrap_or_default();
        if greeting.is_empty() {
            return Err(Failure::internal("/greeting is empty: give the line to be shown"));
        }
        Ok(@CLASS@ { line: format!("{}\n", greeting).into_bytes() })
    }

    /// Which bytes answer this name?
    fn open(&self, request: &Request) -> Result<Answer, Failure> {
        if request.path() != "hello.txt" {
            return Ok(Answer::Declined);
        }
        Ok(Answer::Bytes(self.line.clone()))
    }
}

tftpkit::export_plugin!(
    @CLASS@,
    name: "@NAME@",
    version: "0.1",
    summary: "Says hello",
    execution: tftpkit::EXEC_PARALLEL,
    schema: r#"{"type": "object", "additionalProperties": false,
                "properties": {"greeting": {"type": "string", "default": "Hello from @NAME@!",
                                            "description": "what hello.txt says"}}}"#
);
