/** HarfBuzz on Node: the WebAssembly of the package, compiled when the first PDF is asked for. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

let compiled: Promise<WebAssembly.Module> | undefined

/** Returns the module; compiled once. */
export function loadHarfbuzz(): Promise<WebAssembly.Module> {
  compiled ??= compile()
  return compiled
}

async function compile(): Promise<WebAssembly.Module> {
  const file = fileURLToPath(import.meta.resolve('harfbuzzjs/dist/harfbuzz.wasm'))
  return WebAssembly.compile(new Uint8Array(await readFile(file)))
}
