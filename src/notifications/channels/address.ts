/** E-mail addresses: one, and nothing but one. https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2 */

/** Returns the address; undefined for several, for a name beside it, for quoted local parts and for anything longer than SMTP takes. */
export function addressOf(text: string): string | undefined {
  const address = text.trim().replace(/^mailto:/i, '')
  const [local, domain, ...more] = address.split('@')
  if (local === undefined || domain === undefined || more.length > 0) return undefined
  const fits =
    /^[^\s@<>()[\]\\,;:"\p{Cc}]{1,64}$/u.test(local) &&
    !local.startsWith('-') &&
    /^(?=.{1,255}$)(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)*[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?$/u.test(
      domain,
    )
  return fits ? address : undefined
}

/** Returns a file name that is safe in a header and on a disk. */
export const fileName = (name: string): string =>
  name.replace(/[^\p{L}\p{M}\p{N}._ -]+/gu, '-').slice(0, 100) || 'attachment'

/** Returns a media type with its parameters; a plain one where it is none. */
export const mediaType = (type: string): string =>
  /^[A-Za-z0-9.+-]{1,60}\/[A-Za-z0-9.+-]{1,80}(?:; ?[A-Za-z0-9-]{1,40}=[A-Za-z0-9._"-]{1,80}){0,8}$/.test(
    type,
  )
    ? type
    : 'application/octet-stream'
