"""Who may import whom: the rooms of each service and of the library, with the reason for every arrow.

A new arrow is a decision: it is written down here first, with its reason, or the code is moved. Files at the top of a
service count as rooms; `__main__` and `wiring` may import everything of their service.
"""

from __future__ import annotations

Arrows = dict[str, dict[str, str]]

GATEWAY: Arrows = {
    "api": {},
    "events": {},
    "tenants": {"api": "times in protobuf"},
    "styles": {"api": "names and pages"},
    "peers": {"api": "states of jobs in protobuf"},
    "metrics": {},
    "photos": {
        "api": "names, pages and times",
        "tenants": "whose subject it is, and where its objects lie",
        "peers": "an inspection asks for the side that the foundation paints",
        "metrics": "uploads and inspections are counted",
    },
    "trainings": {
        "api": "names, pages, states and times",
        "tenants": "whose subject it is, and where its objects lie",
        "photos": "a training learns from photos",
        "peers": "a trainer does the work",
        "events": "watchers are woken",
        "metrics": "watchers are counted",
    },
    "galleries": {
        "api": "names, pages, states and times",
        "tenants": "whose subject it is",
        "trainings": "a gallery is painted with the adapter of a training",
        "peers": "adapters and failures by reference",
        "events": "watchers are woken and fed previews",
        "metrics": "watchers are counted",
    },
    "painting": {
        "galleries": "shots are leased from a gallery",
        "photos": "likeness is measured against the subject's photos, a few decoded at once",
        "tenants": "where a subject's objects lie",
        "peers": "a generator does the work",
        "events": "watchers are woken and fed previews",
        "metrics": "shots are counted",
    },
    "subjects": {
        "api": "names, pages and times",
        "tenants": "whose subject it is, and where its objects lie",
        "photos": "a subject tells how many it has; erasing removes them",
        "trainings": "a subject tells its newest adapter; erasing removes them",
        "galleries": "erasing removes them",
        "peers": "erasing makes the generators forget the adapters",
    },
    "settings": {
        "photos": "what a stream of photos may be",
        "painting": "how shots are worked on",
    },
}

TRAINER: Arrows = {
    "lora": {},
    "selection": {"lora": "portraits are painted with the adapter that is being trained"},
    "queue": {
        "lora": "a job carries the caller's options of the recipe",
        "selection": "a finished job carries its scores",
    },
    "output": {
        "lora": "the recipe stands in the manifest and the card",
        "queue": "the request stands in the manifest",
        "selection": "the scores stand in the manifest and the card",
    },
    "run": {
        "lora": "the training loop",
        "selection": "checkpoints are judged",
        "output": "the result is written",
        "queue": "the request, and the failures that a run may end with",
    },
    "metrics": {"queue": "rows are counted by state when Prometheus asks"},
    "settings": {"run": "how the CPUs are shared out"},
    "workers": {
        "queue": "jobs are leased",
        "run": "the messages of a run",
        "output": "what a cancelled or failed run left is removed",
        "metrics": "runs are counted",
        "settings": "lease and pause lengths",
    },
    "engine": {
        "queue": "jobs are rows",
        "workers": "every replica has workers",
        "lora": "the recipe is told to callers",
    },
    "servicer": {
        "engine": "one engine call an RPC",
        "queue": "jobs to protobuf",
        "lora": "options to and from protobuf",
        "selection": "scores to protobuf",
    },
}

GENERATOR: Arrows = {
    "metrics": {},
    "adapters": {"metrics": "loads and look-ups are counted"},
    "requests": {
        "adapters": "a request is prepared with its adapter's row",
        "metrics": "stages are timed",
    },
    "images": {
        "requests": "what was asked for: format, quality, kept pixels",
        "metrics": "stages are timed",
    },
    "batching": {
        "requests": "plans and prepared requests",
        "adapters": "slots of the bank",
        "images": "finished latents go to the decoder",
        "metrics": "rows and steps are counted",
    },
    "engine": {
        "adapters": "hot loading",
        "batching": "the batch loop",
        "requests": "planning and preparing",
        "images": "encoding and storing",
        "metrics": "requests are counted",
    },
    "servicer": {
        "engine": "one engine call an RPC",
        "adapters": "adapters by reference from protobuf",
        "requests": "requests and events to and from protobuf",
    },
    "settings": {
        "engine": "the engine's limits",
        "servicer": "the largest message",
    },
}

DIFFUSION: Arrows = {
    "safetensors_io": {},
    "publish": {},
    "networks": {},
    "sampling": {},
    "lora": {"safetensors_io": "LoRA files are safetensors"},
    "foundations": {"lora": "which layers adapters change"},
    "banked": {"lora": "where each layer's LoRA lies in an adapter row"},
    "package": {"lora": "the layout is part of the package"},
    "text": {"package": "tokenizers and encoders lie in the package"},
    "tensorrt": {
        "package": "graphs and shapes to build for",
        "publish": "a built engine appears whole or not at all",
    },
    "export": {
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
    "links": {},
    "cpus": {},
    "artifacts": {
        "errors": "a store that fails is a typed error",
        "links": "no link within a local store is followed",
        "settings": "a private folder",
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
    "rpc": {"errors": "the table to gRPC statuses and back"},
    "keys": {
        "errors": "a wrong key is a typed error",
        "database": "keys are rows",
        "schema": "keys are rows",
        "rpc": "the server asks who calls",
        "settings": "a private file",
        "threads": "blocking SQL off the event loop",
    },
    "faces": {
        "errors": "an analyzer that cannot be opened is a typed error",
        "settings": "the bundled analyzer's folder",
    },
    "imaging": {
        "errors": "a photo that cannot be used is a typed error",
        "faces": "faces in photos, and how alike they are",
    },
    "diffusion": {
        "errors": "typed errors",
        "settings": "a private folder",
        "parent_death": "the exporting process ends with its parent",
        "cpus": "a thread for each core that may be used",
    },
    "client": {
        "errors": "callers catch what the server raised",
        "rpc": "channels, and statuses back to errors",
        "v1": "the generated contract",
    },
    "console": {"errors": "exit codes and cures", "client": "what is shown"},
    "processes": {"errors": "a service that died is a typed error", "parent_death": "children end with their parent"},
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
        "processes": "`serve all`",
        "demo": "`demo`",
        "diffusion": "`export`",
        "keys": "`keys`",
        "database": "`keys` migrates",
        "rpc": "free ports",
        "__version__": "`--version`",
    },
}

HOUSES: dict[str, Arrows] = {
    "headshots": LIBRARY,
    "services/gateway": GATEWAY,
    "services/trainer": TRAINER,
    "services/generator": GENERATOR,
    "headshots/diffusion": DIFFUSION,
}

OWN = ""
TABLES: dict[str, dict[str, str]] = {
    "tenants": {"tenants": OWN, "subjects": "the check that every room begins with: is the subject the caller's?"},
    "photos": {"photos": OWN},
    "trainings": {
        "trainings": OWN,
        "training_events": OWN,
        "training_jobs": "an erasure removes the trainer's rows in its own transaction (docs/decisions/0004)",
    },
    "galleries": {
        "galleries": OWN,
        "shots": OWN,
        "subjects": "the claim of a shot reads the class noun in the same query",
        "tenants": "the claim of a shot keeps the tenant's fair share in the same transaction",
    },
    "subjects": {"subjects": OWN},
    "metrics": {
        "galleries": "rows are counted by state when Prometheus asks",
        "shots": "rows are counted by state when Prometheus asks",
        "trainings": "rows are counted by state when Prometheus asks",
    },
}
"""Tables of `headshots.schema` that each gateway room uses, with the reason where one is another room's."""
