// Selfies to the ten best portraits, from Node: make a subject, upload the selfies, order a shoot with one call, follow
// it, fetch the best. It needs only protos/ of this repository.
//
// While `headshots serve all` runs, from this folder, on the selfies that `make demo` left:
//
//   npm ci
//   export HEADSHOTS_API_KEY=$(cat ~/.local/share/headshots/api-key)
//   node client.js ../../out/demo/selfies ../../out/portraits business 40
//
// Progress goes to stderr, one JSON object to stdout.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

const CHUNK_BYTES = 512 * 1024;
const BEST = 10;
const PHOTO = /\.(jpe?g|png|webp|hei[cf])$/i;
const SUFFIX_BY_TYPE = { "image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp" };
const here = path.dirname(fileURLToPath(import.meta.url));
const protos = process.env.HEADSHOTS_PROTOS ?? path.join(here, "..", "..", "protos");

// The public API has one service for each resource, in a file of the same name.
const SERVICES = {
  subjects: "SubjectService",
  photos: "PhotoService",
  galleries: "GalleryService",
  packs: "PackService",
  shoots: "ShootService",
};

// One client for each service, as `clients.subjects`; all of them share one channel.
function connect(address) {
  const files = Object.keys(SERVICES).map((resource) => `headshots/v1/${resource}.proto`);
  const definition = protoLoader.loadSync(files, {
    includeDirs: [protos],
    keepCase: false,
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  const { headshots } = grpc.loadPackageDefinition(definition);
  const channel = new grpc.Channel(address, grpc.credentials.createInsecure(), {});
  const clients = {};
  for (const [resource, service] of Object.entries(SERVICES)) {
    clients[resource] = new headshots.v1[service](address, null, { channelOverride: channel });
  }
  return { channel, clients };
}

function authorization(apiKey) {
  const metadata = new grpc.Metadata();
  metadata.set("authorization", `Bearer ${apiKey}`);
  return metadata;
}

// A unary call as a promise.
function call(client, method, request, metadata) {
  return new Promise((resolve, reject) => {
    client[method](request, metadata, (error, response) => (error ? reject(error) : resolve(response)));
  });
}

// One stream: a header, then for each photo its start and its chunks.
async function uploadPhotos({ clients, metadata }, parent, files) {
  const contents = await Promise.all(files.map((file) => readFile(file)));
  return new Promise((resolve, reject) => {
    const stream = clients.photos.uploadPhotos(metadata, (error, response) =>
      error ? reject(error) : resolve(response),
    );
    stream.write({ header: { parent } });
    contents.forEach((content, number) => {
      stream.write({ photo: { filename: path.basename(files[number]), sizeBytes: content.length } });
      for (let offset = 0; offset < content.length; offset += CHUNK_BYTES) {
        stream.write({ chunk: content.subarray(offset, offset + CHUNK_BYTES) });
      }
    });
    stream.end();
  });
}

// Training, painting, judging and painting again what is refused: all of it is one order.
async function shoot({ clients, metadata }, parent, pack, count) {
  const wanted = { parent, pack: `packs/${pack}`, count };
  const made = await call(clients.shoots, "createShoot", wanted, metadata);
  let last = made.shoot;
  const { expectedFinishTime: ready, images } = last.quote;
  console.error(`${last.name}: ${images} images to paint${ready ? `, ready about ${asDate(ready)}` : ""}`);
  for await (const message of clients.shoots.watchShoot({ name: last.name }, metadata)) {
    last = message.shoot;
    const { state, trainingStep, trainingTotalSteps, completedShots, asked, delivered } = last;
    console.error(`${state} step ${trainingStep}/${trainingTotalSteps}, painted ${completedShots}/${asked}, accepted ${delivered}`);
  }
  if (last.state !== "JOB_STATE_SUCCEEDED") throw new Error(last.failure?.message ?? last.state);
  return last;
}

// The first page of the images, best first. Refused ones come last, and are not fetched.
async function fetchBest({ clients, metadata }, gallery, folder) {
  await mkdir(folder, { recursive: true });
  const wanted = { parent: gallery, order: "IMAGE_ORDER_RANK", pageSize: BEST };
  const { images } = await call(clients.galleries, "listImages", wanted, metadata);
  const best = images.filter((image) => image.verdict.acceptance !== "ACCEPTANCE_REFUSED");
  const saved = [];
  for (const [place, image] of best.entries()) {
    const { content } = await call(clients.galleries, "getImage", { name: image.name }, metadata);
    const { name, style, rank, likeness, tries, sha256, verdict } = image;
    const stem = `${String(place + 1).padStart(2, "0")}-${style.replace("styles/", "")}`;
    const file = path.join(folder, stem + SUFFIX_BY_TYPE[image.contentType]);
    await writeFile(file, content);
    saved.push({ name, style, rank, likeness, tries, sha256, acceptance: verdict.acceptance, file });
  }
  return saved;
}

function asDate({ seconds }) {
  return new Date(seconds * 1000).toLocaleTimeString();
}

async function main() {
  const [selfies, folder, pack, count = "40"] = process.argv.slice(2);
  if (!pack || !process.env.HEADSHOTS_API_KEY) {
    throw new Error("usage: node client.js SELFIES_FOLDER PORTRAITS_FOLDER PACK [COUNT] (with HEADSHOTS_API_KEY set)");
  }
  const address = process.env.HEADSHOTS_ADDRESS ?? "127.0.0.1:50051";
  const { channel, clients } = connect(address);
  const metadata = authorization(process.env.HEADSHOTS_API_KEY);
  const session = { clients, metadata };

  // A wrong folder or pack is reported before anything is made.
  const names = (await readdir(selfies)).filter((name) => PHOTO.test(name)).sort();
  if (names.length === 0) throw new Error(`${selfies} has no photos; name the folder of one person's selfies`);
  await call(clients.packs, "getPack", { name: `packs/${pack}` }, metadata);
  // Show the person your statement and keep what they signed; the gateway trains nobody who did not agree.
  const consent = {
    statementText: "Portraits of me may be made of these photos.",
    statementVersion: "2026-11",
    purposes: ["CONSENT_PURPOSE_TRAINING", "CONSENT_PURPOSE_PAINTING"],
    reference: "form 4711",
  };
  const person = { displayName: "From Node", classNoun: "person", consent };
  const { subject } = await call(clients.subjects, "createSubject", person, metadata);
  const { photos } = await uploadPhotos(session, subject.name, names.map((name) => path.join(selfies, name)));
  const ended = await shoot(session, subject.name, pack, Number(count));
  const images = await fetchBest(session, ended.gallery, folder);
  console.error(`${ended.guarantee}: ${ended.delivered} of ${ended.asked} accepted; the best are in ${folder}`);
  console.log(JSON.stringify({ subject: subject.name, photos: photos.length, shoot: ended, images }));
  channel.close();
}

main().catch((error) => {
  // Every error of the gateway carries google.rpc.ErrorInfo; its message says what to do.
  console.error(`failed: ${error.details ?? error.message}`);
  process.exitCode = 1;
});
