/** A FHIRPath expression in its smallest parts. https://hl7.org/fhirpath/N1/#lexical-elements */

export interface Lexeme {
  /** `text` is what stands in quotes, without them. */
  is: 'name' | 'text' | 'number' | 'sign'
  text: string
}

const LEXEME = /\s*(?:([A-Za-z_]\w*)|'([^'\\]*)'|"([^"\\]*)"|([0-9]{1,6})|([()[\].|=]))/y

/** Returns the parts; undefined for a text that has others, escapes in quotes among them. */
export function lexemes(expression: string): Lexeme[] | undefined {
  const text = expression.trim()
  const found: Lexeme[] = []
  for (LEXEME.lastIndex = 0; LEXEME.lastIndex < text.length; ) {
    const match = LEXEME.exec(text)
    if (match === null) return undefined
    const [, name, single, double, number, sign] = match
    const quoted = single ?? double
    if (name !== undefined) found.push({ is: 'name', text: name })
    else if (quoted !== undefined) found.push({ is: 'text', text: quoted })
    else if (number !== undefined) found.push({ is: 'number', text: number })
    else found.push({ is: 'sign', text: sign! })
  }
  return found
}
