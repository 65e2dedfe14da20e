// The main job from Node: make a subject, upload selfies, train, receive a gallery. It needs only protos/ of this
// repository.
//
// While `headshots serve all` runs, from this folder, on the selfies that `make demo` left:
//
//   npm ci
//   export HEADSHOTS_API_KEY=$(cat ~/.local/share/headshots/api-key)
//   node client.js ../../out/demo/selfies ../../out/gallery studio-navy-suit park-denim-jacket
//
// Progress goes to stderr, one JSON object to stdout.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

const CHUNK_BYTES = 512 * 1024;
const here = path.dirname(fileURLToPath(import.meta.url));
const protos = process.env.HEADSHOTS_PROTOS ?? path.join(here, "..", "..", "protos");

// The public API has one service for each resource, in a file of the same name.
const SERVICES = {
  subjects: "SubjectService",
  photos: "PhotoService",
  trainings: "TrainingService",
  galleries: "GalleryService",
  styles: "StyleService",
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

async function train({ clients, metadata }, parent, options) {
  const { training } = await call(clients.trainings, "createTraining", { parent, options }, metadata);
  let last = training;
  for await (const message of clients.trainings.watchTraining({ name: training.name }, metadata)) {
    last = message.training;
    console.error(`${last.state} ${last.step}/${last.totalSteps} loss ${last.loss.toFixed(4)}`);
  }
  if (last.state !== "JOB_STATE_SUCCEEDED") throw new Error(last.failure?.message ?? last.state);
  return last;
}

async function paint({ clients, metadata }, parent, styles, folder) {
  await mkdir(folder, { recursive: true });
  const wanted = { parent, styles: styles.map((style) => `styles/${style}`), shotsPerStyle: 2 };
  const { gallery } = await call(clients.galleries, "createGallery", wanted, metadata);
  const images = [];
  let state = gallery.state;
  const events = clients.galleries.watchGallery({ name: gallery.name, includeContent: true }, metadata);
  for await (const message of events) {
    if (message.event === "gallery") state = message.gallery.state;
    if (message.event !== "image") continue;
    const { style, seed, sha256 } = message.image;
    const file = path.join(folder, `${style.replace("styles/", "")}-${seed}.png`);
    await writeFile(file, message.content);
    images.push({ style, seed, sha256, file });
    console.error(`painted ${file}`);
  }
  return { name: gallery.name, state, images };
}

async function main() {
  const [selfies, folder, ...styles] = process.argv.slice(2);
  if (styles.length === 0 || !process.env.HEADSHOTS_API_KEY) {
    throw new Error("usage: node client.js SELFIES_FOLDER GALLERY_FOLDER STYLE… (with HEADSHOTS_API_KEY set)");
  }
  const address = process.env.HEADSHOTS_ADDRESS ?? "127.0.0.1:50051";
  const { channel, clients } = connect(address);
  const metadata = authorization(process.env.HEADSHOTS_API_KEY);
  const session = { clients, metadata };

  // A wrong style is reported before the training, not after it.
  for (const style of styles) {
    await call(clients.styles, "getStyle", { name: `styles/${style}` }, metadata);
  }
  const person = { displayName: "From Node", classNoun: "person" };
  const { subject } = await call(clients.subjects, "createSubject", person, metadata);
  const files = (await readdir(selfies)).sort().map((name) => path.join(selfies, name));
  const { photos } = await uploadPhotos(session, subject.name, files);
  const options = process.env.HEADSHOTS_STEPS ? { steps: Number(process.env.HEADSHOTS_STEPS) } : {};
  const training = await train(session, subject.name, options);
  const gallery = await paint(session, subject.name, styles, folder);
  console.log(JSON.stringify({ subject: subject.name, photos: photos.length, training, gallery }));
  channel.close();
}

main().catch((error) => {
  // Every error of the gateway carries google.rpc.ErrorInfo; its message says what to do.
  console.error(`failed: ${error.details ?? error.message}`);
  process.exitCode = 1;
});
