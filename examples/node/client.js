// The main job from Node: make a subject, upload selfies, train, receive a gallery. Needs nothing of ours but protos/.
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

// One service a resource; all of them share one connection.
const SERVICES = { subjects: "SubjectService", photos: "PhotoService", trainings: "TrainingService",
  galleries: "GalleryService", styles: "StyleService" };

function connect(address, apiKey) {
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
  const connection = { close: () => channel.close() };
  for (const [resource, service] of Object.entries(SERVICES)) {
    connection[resource] = new headshots.v1[service](address, null, { channelOverride: channel });
  }
  const metadata = new grpc.Metadata();
  metadata.set("authorization", `Bearer ${apiKey}`);
  return { ...connection, metadata };
}

// A unary call as a promise.
function call(connection, resource, method, request) {
  return new Promise((resolve, reject) => {
    connection[resource][method](request, connection.metadata, (error, response) => (error ? reject(error) : resolve(response)));
  });
}

// One stream: a header, then for each photo its start and its chunks.
async function uploadPhotos({ photos, metadata }, parent, files) {
  const contents = await Promise.all(files.map((file) => readFile(file)));
  return new Promise((resolve, reject) => {
    const stream = photos.uploadPhotos(metadata, (error, response) => (error ? reject(error) : resolve(response)));
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

async function train(connection, parent, options) {
  const { training } = await call(connection, "trainings", "createTraining", { parent, options });
  let last = training;
  for await (const message of connection.trainings.watchTraining({ name: training.name }, connection.metadata)) {
    last = message.training;
    console.error(`${last.state} ${last.step}/${last.totalSteps} loss ${last.loss.toFixed(4)}`);
  }
  if (last.state !== "JOB_STATE_SUCCEEDED") throw new Error(last.failure?.message ?? last.state);
  return last;
}

async function paint(connection, parent, styles, folder) {
  await mkdir(folder, { recursive: true });
  const { gallery } = await call(connection, "galleries", "createGallery", {
    parent,
    styles: styles.map((style) => `styles/${style}`),
    shotsPerStyle: 2,
  });
  const images = [];
  let state = gallery.state;
  const events = connection.galleries.watchGallery({ name: gallery.name, includeContent: true }, connection.metadata);
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
  const connection = connect(address, process.env.HEADSHOTS_API_KEY);
  // A wrong style is told before the training, not after it.
  for (const style of styles) await call(connection, "styles", "getStyle", { name: `styles/${style}` });
  const { subject } = await call(connection, "subjects", "createSubject", { displayName: "From Node", classNoun: "person" });
  const files = (await readdir(selfies)).sort().map((name) => path.join(selfies, name));
  const { photos } = await uploadPhotos(connection, subject.name, files);
  const options = process.env.HEADSHOTS_STEPS ? { steps: Number(process.env.HEADSHOTS_STEPS) } : {};
  const training = await train(connection, subject.name, options);
  const gallery = await paint(connection, subject.name, styles, folder);
  console.log(JSON.stringify({ subject: subject.name, photos: photos.length, training, gallery }));
  connection.close();
}

main().catch((error) => {
  // Every error of the gateway carries google.rpc.ErrorInfo; its message tells the cure.
  console.error(`failed: ${error.details ?? error.message}`);
  process.exitCode = 1;
});
