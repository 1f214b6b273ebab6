/**
 * E-mail by SMTP. https://nodemailer.com/smtp/pooled/, https://www.rfc-editor.org/rfc/rfc5321
 *
 * The key is the Message-ID. An attempt is one attempt: the library's own repeats are off, so that the outbox alone decides.
 */
import { createTransport } from 'nodemailer'
import type { MailSettings } from '../config/mail.ts'
import type { Channel, Sent } from '../notifications/channel.ts'
import { addressOf, fileName, mediaType } from '../notifications/channels/address.ts'
import { clip, oneLine, plain } from '../notifications/channels/line.ts'

/** A channel that keeps connections. */
export interface SmtpChannel extends Channel {
  /** Ends the connections, also those in use. */
  close(): void
}

/** Returns the channel. `ca`: PEM of an authority besides those of the system. */
export function createSmtpChannel(
  { from, smtp }: MailSettings,
  { timeoutMs, ca }: { timeoutMs: number; ca?: string },
): SmtpChannel {
  const sender = from?.address ?? ''
  const transport = createTransport({
    pool: true,
    host: smtp.host,
    port: smtp.port,
    secure: smtp.tls === 'tls',
    requireTLS: smtp.tls === 'starttls',
    ignoreTLS: smtp.tls === 'none',
    ...(smtp.user !== undefined && { auth: { user: smtp.user, pass: smtp.password ?? '' } }),
    ...(ca !== undefined && { tls: { ca } }),
    maxConnections: smtp.connections,
    maxMessages: 100,
    maxRequeues: 0,
    idleTimeout: 30_000,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    socketCloseTimeout: 1000,
    maxResponseSize: 16_384,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    name: 'email',
    reaches: 'email',
    async send({ key, to, subject, text, attachments }, signal) {
      const address = addressOf(to)
      if (address === undefined) return { is: 'refused', reason: 'Not an e-mail address.' }
      try {
        const { response } = await transport.sendMail({
          // A server may trickle its answers, which no time-out of the socket notices.
          signal,
          messageId: `<${key}@${sender.slice(sender.indexOf('@') + 1)}>`,
          from: { name: from?.name ?? '', address: sender },
          to: { name: '', address },
          subject: clip(oneLine(subject), 250),
          text: plain(text),
          headers: { 'Auto-Submitted': 'auto-generated' },
          attachments: attachments.map(one => ({
            filename: fileName(one.name),
            contentType: mediaType(one.type),
            content: one.text,
          })),
        })
        const queued = /\b(?:as|id[=:]?) ?([A-Za-z0-9.-]{5,60})\b/.exec(response ?? '')?.[1]
        return { is: 'accepted', ...(queued !== undefined && { reference: queued }) }
      } catch (error) {
        return failureOf(error)
      }
    },
    close: () => transport.close({ force: true }),
  }
}

/** 5xx about the receiver or the message is for good; about us (sign-in, sender, TLS) it can be put right. */
function failureOf(error: unknown): Sent {
  const { code, command, responseCode } = error as { code?: string; command?: string; responseCode?: number }
  if (typeof responseCode === 'number' && responseCode > 0) {
    const refused = responseCode >= 500 && (command === 'RCPT TO' || command === 'DATA')
    return {
      is: refused ? 'refused' : 'failed',
      reason: `Answered ${responseCode} to ${command ?? 'the message'}.`,
    }
  }
  if (code === 'EABORT' || code === 'ETIMEDOUT') return { is: 'failed', reason: 'No answer in time.' }
  if (code === 'ETLS' || (error instanceof Error && /certificate|altname/i.test(error.message)))
    return { is: 'failed', reason: 'No trusted TLS connection.' }
  return { is: 'failed', reason: 'No connection.' }
}
