//! Generates the client from the contract's folder, which the variable CONTRACT names.
use std::{env, fs, io, path::Path};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let contract = env::var("CONTRACT")?;
    println!("cargo:rerun-if-env-changed=CONTRACT");
    println!("cargo:rerun-if-changed={contract}");
    let files: Vec<_> = fs::read_dir(Path::new(&contract).join("structmem/v1"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    tonic_prost_build::configure().build_server(false).build_transport(false).compile_fds(protox::compile(files, [contract])?)?;
    Ok(())
}
