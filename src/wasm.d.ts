/** Wrangler hands a .wasm file over as a compiled module. */
declare module 'harfbuzzjs/dist/harfbuzz.wasm' {
  const module: WebAssembly.Module
  export default module
}
