/** Texts made fit for a place where a peer takes only so much, or only one line. */

/** Whether it is a telephone number with its country, of any. https://www.itu.int/rec/T-REC-E.164 */
export const isTelephone = (text: string): boolean => /^\+[0-9]{7,15}$/.test(text)

/** Returns the text in one line: control characters, line ends and runs of white space are single spaces. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()

/** Returns the text without control characters but line feeds. */
export const plain = (text: string): string => text.replace(/\r\n?/g, '\n').replace(/[^\P{Cc}\n]/gu, '')

/** Returns at most so many UTF-16 units, never half a character; what was cut ends with three dots. */
export function clip(text: string, most: number): string {
  if (text.length <= most) return text
  const cut = text.slice(0, most - 3)
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}...`
}
