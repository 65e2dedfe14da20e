"""Who may import whom: the rooms of each service and of the library, with the reason for every arrow.

A new arrow is a decision: it is written down here first, with its reason, or the code is moved. Files at the top of a
service count as rooms; `__main__` and `wiring` may import everything of their service.
"""

from __future__ import annotations

from tests.support.library_rooms import DIFFUSION, LIBRARY, Arrows

GATEWAY: Arrows = {
    "api": {},
    "events": {},
    "retention": {"api": "names and times"},
    "tenants": {
        "api": "times in protobuf",
        "retention": "a subject is the caller's until its time has come",
    },
    "peers": {
        "api": "states of jobs in protobuf",
        "tenants": "a call is granted the objects of its subject",
    },
    "consents": {"api": "names and times"},
    "marks": {},
    "audit": {"api": "names, pages and times", "tenants": "whose subject it is"},
    "erasures": {"api": "names, pages and times", "tenants": "whose subject it is, and where its objects lie"},
    "foundations": {"api": "names, pages and errors", "peers": "pools tell what they run"},
    "metrics": {"peers": "routing is counted there", "table_metrics": "what the database tells is read there"},
    "photos": {
        "api": "names, pages and times",
        "retention": "a delivery begins the time of photos; past it they are of no use",
        "audit": "what is done to a subject is recorded",
        "erasures": "what is stored is committed to",
        "tenants": "whose subject it is, and where its objects lie",
        "peers": "an inspection asks for the side that the foundation paints",
        "metrics": "uploads and inspections are counted",
    },
    "trainings": {
        "api": "names, pages, states and times",
        "audit": "what is done to a subject is recorded",
        "erasures": "what is stored is committed to",
        "tenants": "whose subject it is, and where its objects lie",
        "consents": "nobody is trained who did not agree",
        "retention": "nobody is trained whose time has come",
        "photos": "a training learns from photos",
        "peers": "a trainer does the work",
        "events": "watchers are woken",
        "metrics": "watchers are counted",
    },
    "styles": {
        "api": "names, pages and times",
        "tenants": "whose styles and subjects they are",
        "trainings": "a preview takes the trigger of the subject's adapter",
        "peers": "what a style asks a generator for, and what it says",
    },
    "packs": {
        "api": "names, pages and times",
        "tenants": "whose packs they are",
        "styles": "a pack names styles that can be ordered",
    },
    "profiles": {
        "api": "names, pages and times",
        "tenants": "whose profiles they are",
    },
    "remixes": {"photos": "an image is decoded and looked at as photos are, a few at once"},
    "galleries": {
        "remixes": "what a change repaints, and which words say it",
        "api": "names, pages, states and times",
        "audit": "what is done to a subject is recorded",
        "erasures": "what is stored is committed to",
        "tenants": "whose subject it is",
        "consents": "nobody is painted who did not agree",
        "retention": "nobody is painted whose time has come; it begins anew with a delivery",
        "profiles": "images are judged by one",
        "photos": "images are judged against them; a delivery begins their time",
        "trainings": "a gallery is painted with the adapter of a training",
        "marks": "what an image's watermark stands for is recorded with it, and forgotten with it",
        "styles": "styles are checked before a gallery is queued",
        "peers": "adapters and failures by reference",
        "events": "watchers are woken and fed previews",
        "metrics": "watchers are counted",
    },
    "links": {
        "api": "names and times",
        "audit": "what is done to a subject is recorded",
        "galleries": "links lead to images of a gallery",
        "retention": "no link is made for longer than the subject is kept",
        "tenants": "a link opens nothing of a subject that is being erased or past its time",
    },
    "painting": {
        "galleries": "shots are leased from a gallery",
        "remixes": "the mask of what a change repaints",
        "retention": "a shot does not fail by a clock that jumped",
        "photos": "likeness is measured against the subject's photos, a few decoded at once",
        "tenants": "where a subject's objects lie",
        "styles": "what a style asks a generator for",
        "peers": "a generator does the work",
        "events": "watchers are woken and fed previews",
        "metrics": "shots are counted",
    },
    "shoots": {
        "api": "names, pages, states and times",
        "audit": "what is done to a subject is recorded",
        "tenants": "whose subject it is",
        "consents": "nobody is trained and painted who did not agree",
        "profiles": "portraits are judged by one",
        "retention": "a quote tells whether the subject is kept so long",
        "styles": "styles are checked before a shoot is queued",
        "packs": "a shoot is ordered over the styles of one",
        "photos": "usable ones are learned from",
        "trainings": "a shoot begins with one, or takes the adapter of one",
        "galleries": "a shoot is painted as one",
        "peers": "what generators run, failures",
        "events": "numbered events; watchers are woken",
        "metrics": "shoots and watchers are counted",
    },
    "subjects": {
        "api": "names, pages and times",
        "audit": "what is done to a subject is recorded",
        "tenants": "whose subject it is, and where its objects lie",
        "consents": "a subject tells what it agreed to; erasing removes it",
        "erasures": "an erasure is recorded and its receipt signed; a subject tells its commitment",
        "retention": "a subject tells until when it is kept; it is erased when its time has come",
        "photos": "a subject tells how many it has; erasing removes them",
        "trainings": "a subject tells its newest adapter; erasing removes them",
        "galleries": "erasing removes them",
        "shoots": "erasing removes them",
        "marks": "erasing forgets what the marks of its images stand for",
        "peers": "erasing makes the generators forget the adapters",
        "metrics": "expired subjects are counted",
    },
    "replay": {
        "settings": "where database, store and log are",
        "erasures": "receipts by the installation's key are believed",
        "subjects": "who came back is erased again",
    },
    "doctor": {
        "settings": "what they name is looked at",
        "peers": "trainers and generators are called as a gateway does",
    },
    "running": {
        "audit": "what was read last is written down when it closes",
        "links": "the server of links stops with it",
        "painting": "shots in flight are drained",
        "scaling": "the port that KEDA calls stops with it",
    },
    "verification": {
        "api": "names of images",
        "audit": "whose image was recognised is recorded",
        "tenants": "whose subject it is",
        "photos": "a file comes in as photos do, under the same limits",
        "marks": "what a watermark stands for",
    },
    "setting_checks": {"erasures": "how long a horizon of backups may be"},
    "settings": {
        "peers": "pools are declared in one variable",
        "setting_checks": "numbers and files are held against what they may be",
        "erasures": "how long the log of erasures is kept",
        "photos": "what a stream of photos may be",
        "subjects": "how subjects are erased",
        "links": "what leads clients to the links port",
        "painting": "how shots are worked on",
    },
}

TRAINER: Arrows = {
    "lora": {},
    "captions": {"lora": "the recipe says what captions say, batches in which order they are"},
    "selection": {
        "lora": "portraits are painted with the adapter that is being trained",
        "captions": "portraits are asked for as scenes are",
    },
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
        "captions": "what the rows show is encoded",
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
    "doctor": {
        "settings": "what they name is looked at",
        "lora": "a recipe that is wrong ends the start",
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
    "traces": {},
    "adapters": {"metrics": "loads and look-ups are counted"},
    "requests": {
        "adapters": "a request is prepared with its adapter's row",
        "metrics": "stages are timed",
    },
    "images": {
        "requests": "what was asked for: format, quality, kept pixels",
        "metrics": "stages are timed",
        "traces": "one decoding is for several requests",
    },
    "batching": {
        "requests": "plans and prepared requests",
        "images": "finished latents go to the decoder",
        "traces": "one UNet call is for several requests",
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
    "doctor": {"settings": "what they name is looked at"},
    "settings": {
        "engine": "the engine's limits",
        "servicer": "the largest message",
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
    "gateway.tenants": {
        "tenants": OWN,
        "subjects": "the check that a subject is the caller's",
    },
    "gateway.audit": {"audit_chains": OWN, "audit_events": OWN},
    "gateway.erasures": {
        "commitments": OWN,
        "erasure_chains": OWN,
        "erasure_keys": OWN,
        "erasure_log_marks": OWN,
        "erasures": OWN,
        "consents": "that a subject has none any more is verified before its receipt is signed",
        "galleries": "as consents",
        "marks": "as consents",
        "photos": "as consents",
        "shoots": "as consents",
        "trainings": "as consents",
        "retentions": "as consents; and what the policy was stands in the receipt",
        "terms": "as consents",
        "subjects": "those that are being erased are found",
        "tenants": "what the policy was stands in the receipt",
    },
    "gateway.consents": {
        "consents": OWN,
        "tenants": "whether its subjects need to, in the same query",
    },
    "gateway.retention": {
        "retentions": OWN,
        "terms": OWN,
        "subjects": "those that have no row are found by one query",
        "tenants": "how long the tenant's subjects are kept, in the same query",
    },
    "gateway.photos": {"photos": OWN},
    "gateway.peers": {"pools": OWN},
    "gateway.marks": {"marks": OWN},
    "gateway.verification": {
        "galleries": "which images have the object of a mark, in one query",
        "shots": "which images have the object of a mark, in one query",
    },
    "gateway.trainings": {
        "trainings": OWN,
        "training_events": OWN,
        "training_jobs": "an erasure removes the trainer's rows in its own transaction (docs/decisions/0004)",
    },
    "gateway.galleries": {
        "galleries": OWN,
        "shots": OWN,
        "subjects": "the claim of a shot reads the class noun in the same query",
        "tenants": "the claim of a shot keeps the tenant's fair share in the same transaction",
    },
    "gateway.shoots": {
        "shoots": OWN,
        "shoot_events": OWN,
        "trainings": "a quote reads what earlier ones took and what waits; what has changed is seen in one query",
        "galleries": "a quote reads what earlier ones took; what has changed is seen in one query",
        "shots": "a quote reads how often earlier ones were tried, and what waits",
    },
    "gateway.styles": {"styles": OWN},
    "gateway.packs": {"packs": OWN},
    "gateway.profiles": {"profiles": OWN},
    "gateway.subjects": {"subjects": OWN, "retentions": "those that end soon are listed by their time in one query"},
    "gateway.scaling": {
        "shots": "generators' work is counted when KEDA asks",
        "galleries": "which foundation a shot needs, in the same query",
        "trainings": "trainers' work is counted when KEDA asks",
    },
    "gateway.table_metrics": {
        "erasures": "the one that was asked for first is looked for when Prometheus asks",
        "galleries": "rows are counted by state when Prometheus asks",
        "retentions": "the longest overdue is looked for when Prometheus asks",
        "shoots": "rows are counted by state when Prometheus asks",
        "shots": "rows are counted by state when Prometheus asks",
        "trainings": "rows are counted by state when Prometheus asks",
    },
    "trainer.queue": {
        "training_jobs": OWN,
        "tenants": "the weight of a tenant's high-priority work, which the operator sets for all services",
    },
    "trainer.workers": {"training_jobs": "a worker leases the row of its job and writes under the fence"},
}
"""Tables of `headshots.schema` that each room uses, with the reason where one is another room's."""
