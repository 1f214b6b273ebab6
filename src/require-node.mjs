// Loaded with --import before a TypeScript entry, in plain JavaScript that an old Node reads too: it says in a sentence what would
// otherwise be a syntax or file-extension error.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  console.error(
    `Nadi needs Node 24 or newer; this is ${process.version} (${process.execPath}). ` +
      '"npm ci" (with optional packages) installs Node 24 into node_modules for Linux and Windows on x64 and Linux on arm64; ' +
      'elsewhere install it from https://nodejs.org. Then start with "npm start".',
  )
  process.exit(1)
}
