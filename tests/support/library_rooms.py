"""Who may import whom within the library: see `rooms`, which has the same for the services."""

from __future__ import annotations

Arrows = dict[str, dict[str, str]]

DIFFUSION: Arrows = {
    "safetensors_io": {},
    "publish": {},
    "networks": {},
    "child_errors": {},
    "sampling": {},
    "lora": {"safetensors_io": "LoRA files are safetensors"},
    "foundations": {"lora": "which layers adapters change"},
    "importing": {
        "foundations": "what is made is a foundation; kinds and layouts are refused alike",
        "publish": "a foundation appears whole or not at all",
    },
    "banked": {"lora": "where each layer's LoRA lies in an adapter row"},
    "package": {"lora": "the layout is part of the package"},
    "text": {"package": "tokenizers and encoders lie in the package"},
    "tensorrt": {
        "package": "graphs and shapes to build for",
        "publish": "a built engine appears whole or not at all",
        "child_errors": "engines are built in a child process",
    },
    "export": {
        "child_errors": "an export may be a child process",
        "tensorrt": "engines that are built ahead of time are part of the package",
        "foundations": "what is exported",
        "banked": "the UNet with the bank as an input",
        "lora": "the layout of adapter rows",
        "networks": "whole networks, from what comes in to what goes out",
        "package": "what is written",
        "publish": "a package appears whole or not at all",
    },
    "backends": {
        "package": "what is run",
        "text": "contexts",
        "tensorrt": "engines and profiles of the TensorRT provider",
        "banked": "the torch backend runs the same banked UNet",
        "foundations": "the torch backend loads the foundation itself",
        "networks": "the torch backend runs the same networks",
    },
}

LIBRARY: Arrows = {
    "errors": {},
    "settings": {"errors": "a wrong setting is a typed error"},
    "styles": {"errors": "a wrong style is a typed error"},
    "stores": {"errors": "a store that fails is a typed error", "settings": "a private folder"},
    "artifacts": {
        "stores": "backends are opened, their errors become ours, no link within a local store is followed",
    },
    "database": {
        "errors": "a database that fails is a typed error",
        "settings": "a private folder",
        "threads": "a connection for every thread",
    },
    "leases": {
        "errors": "a lost lease is a typed error",
        "database": "the database's clock",
        "schema": "states of leased rows",
    },
    "migrations": {"schema": "what migrations are held to"},
    "rpc": {
        "errors": "the table to gRPC statuses and back",
        "settings": "the secret of internal calls lies in the home",
    },
    "receipts": {
        "errors": "a key that cannot be used is a typed error",
        "settings": "a private file",
        "database": "what must not be there is looked for in it",
        "schema": "as database",
        "artifacts": "what must not be there is looked for in it",
    },
    "audit": {"database": "chains are rows", "schema": "chains are rows"},
    "keys": {
        "errors": "a wrong key is a typed error",
        "database": "keys are rows",
        "schema": "keys are rows",
        "rpc": "the server asks who calls",
        "settings": "a private file",
        "threads": "blocking SQL off the event loop",
        "pauses": "between two looks for revoked keys",
    },
    "packages": {"errors": "a package that is missing or changed is a typed error"},
    "faces": {
        "errors": "an analyzer that cannot be opened is a typed error",
        "settings": "the bundled analyzer's folder, and a private one",
        "packages": "nets are taken out of packages of the index",
        "diffusion": "an installed analyzer appears whole or not at all",
    },
    "imaging": {
        "errors": "a photo that cannot be used is a typed error",
        "faces": "faces in photos, and how alike they are",
        "processes": "decoding processes end with their parent",
    },
    "marking": {
        "errors": "a certificate that cannot sign is a typed error",
        "settings": "the home, and a private folder",
        "imaging": "strangers' files are decoded safely",
    },
    "acceptance": {
        "faces": "faces in photos and portraits, and how alike they are",
        "imaging": "sharpness, perceptual hashes, likeness to several photos",
    },
    "diffusion": {
        "errors": "typed errors",
        "settings": "a private folder",
        "processes": "the exporting process ends with its parent; a thread for each core that may be used",
        "packages": "a vocabulary is taken out of a package of the index",
    },
    "client": {
        "errors": "callers catch what the server raised",
        "rpc": "channels, and statuses back to errors",
        "v1": "the generated contract",
    },
    "console": {"errors": "messages and exit codes", "client": "what is shown"},
    "processes": {
        "errors": "a service that died is a typed error",
        "settings": "a private folder",
    },
    "demo": {
        "errors": "typed errors",
        "settings": "the analyzer's name",
        "client": "the demo is a client",
        "console": "bars and exit codes",
        "processes": "the three services",
        "diffusion": "the export's options",
        "imaging": "photos are checked before they are used",
    },
    "cli": {
        "errors": "typed errors",
        "settings": "the home",
        "client": "every verb is a call",
        "console": "bars, tables, exit codes",
        "faces": "analyzers are installed and listed",
        "processes": "`serve all`",
        "demo": "`demo`",
        "diffusion": "`export`",
        "keys": "`keys` and `tenants`",
        "database": "`keys` and `tenants` migrate",
        "audit": "`audit verify`",
        "receipts": "`erasure verify`",
        "artifacts": "`erasure verify` looks in the store",
        "rpc": "free ports",
        "marking": "`verify`",
    },
}
