// The Emscripten factory inside libpg-query, which the package's own typings leave out.

declare module 'libpg-query/wasm/libpg-query.js' {
  /** One instance of PostgreSQL's parser with a memory of its own; addresses are byte offsets into `HEAPU8`. */
  export interface ParserInstance {
    /** Replaced by a new view whenever the memory grows. */
    readonly HEAPU8: Uint8Array;
    readonly HEAPU32: Uint32Array;
    _malloc(bytes: number): number;
    _free(address: number): void;
    _wasm_parse_query_raw(text: number): number;
    _wasm_free_parse_result(result: number): void;
    _wasm_scan(text: number): number;
    _wasm_free_string(text: number): void;
  }
  const factory: (options?: {
    print?: (line: string) => void;
    printErr?: (line: string) => void;
  }) => Promise<ParserInstance>;

  // biome-ignore lint/style/noDefaultExport: it is the module's own.
  export default factory;
}
