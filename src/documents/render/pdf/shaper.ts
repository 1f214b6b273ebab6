/**
 * Text to glyphs by HarfBuzz, compiled to WebAssembly: conjuncts, reordered vowels, marks and kerning as the font has them.
 * https://harfbuzz.github.io/shaping-and-shape-plans.html
 *
 * The package's own loader compiles while it is imported, which Workers refuse; the module is handed in compiled, and has five imports.
 */

/** One glyph, in font units. `cluster` is where in the text (UTF-16) its cluster begins. */
export interface Glyph {
  id: number
  cluster: number
  advance: number
  dx: number
  dy: number
}

export interface Shaper {
  /** Returns a number for the font, which is that of `shape`. */
  addFont(file: Uint8Array): number
  /** Returns the glyphs in the order in which they are painted, left to right. The text is of one script. */
  shape(font: number, text: string): Glyph[]
}

interface Exports {
  memory: WebAssembly.Memory
  __wasm_call_ctors(): void
  malloc(size: number): number
  free(at: number): void
  hb_blob_create(data: number, length: number, mode: number, user: number, destroy: number): number
  hb_face_create(blob: number, index: number): number
  hb_font_create(face: number): number
  hb_buffer_create(): number
  hb_buffer_clear_contents(buffer: number): void
  hb_buffer_add_utf16(buffer: number, text: number, length: number, from: number, count: number): void
  hb_buffer_guess_segment_properties(buffer: number): void
  hb_shape(font: number, buffer: number, features: number, count: number): void
  hb_buffer_get_glyph_infos(buffer: number, length: number): number
  hb_buffer_get_glyph_positions(buffer: number, length: number): number
}

const READONLY = 1
const PAGE = 65536
/** Bytes of hb_glyph_info_t and of hb_glyph_position_t. */
const STRUCT = 20

/** Returns a shaper with memory of its own, to be dropped with the document. */
export async function openShaper(module: WebAssembly.Module): Promise<Shaper> {
  let memory: WebAssembly.Memory
  const stop = (): never => {
    throw new Error('HarfBuzz stopped.')
  }
  const instance = await WebAssembly.instantiate(module, {
    wasi_snapshot_preview1: { proc_exit: stop },
    env: {
      _abort_js: stop,
      _emscripten_runtime_keepalive_clear: () => undefined,
      _setitimer_js: () => 0,
      emscripten_resize_heap: (size: number) => {
        memory.grow(Math.ceil(((size >>> 0) - memory.buffer.byteLength) / PAGE))
        return 1
      },
    },
  })
  const hb = instance.exports as unknown as Exports
  memory = hb.memory
  hb.__wasm_call_ctors()
  const buffer = hb.hb_buffer_create()
  const count = hb.malloc(4)

  return {
    addFont(file) {
      const at = hb.malloc(file.length)
      new Uint8Array(memory.buffer).set(file, at)
      return hb.hb_font_create(hb.hb_face_create(hb.hb_blob_create(at, file.length, READONLY, 0, 0), 0))
    },
    shape(font, text) {
      const at = hb.malloc(2 * text.length)
      const units = new Uint16Array(memory.buffer, at, text.length)
      for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i)
      hb.hb_buffer_clear_contents(buffer)
      hb.hb_buffer_add_utf16(buffer, at, text.length, 0, text.length)
      hb.hb_buffer_guess_segment_properties(buffer)
      hb.hb_shape(font, buffer, 0, 0)
      hb.free(at)
      const infos = hb.hb_buffer_get_glyph_infos(buffer, count)
      const positions = hb.hb_buffer_get_glyph_positions(buffer, count)
      const view = new DataView(memory.buffer)
      return Array.from({ length: view.getUint32(count, true) }, (_, i) => ({
        id: view.getUint32(infos + STRUCT * i, true),
        cluster: view.getUint32(infos + STRUCT * i + 8, true),
        advance: view.getInt32(positions + STRUCT * i, true),
        dx: view.getInt32(positions + STRUCT * i + 8, true),
        dy: view.getInt32(positions + STRUCT * i + 12, true),
      }))
    },
  }
}
