/** Does a host name, or an address as URLs spell it, lead to this machine and nowhere else? */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}
