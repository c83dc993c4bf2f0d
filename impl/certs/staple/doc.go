// Package staple owns what authorities say about the certificates that the gateway
// serves, by OCSP (RFC 6960): it asks the responder that a certificate names, checks
// the answer and puts it to the pairs of package certs, for handshakes to staple.
//
// What is known belongs to a certificate, not to an object: it outlives any change of
// the configuration under which the certificate is still served, and ends with it.
// No handshake waits for it, and it never touches one. Issuers are taken from the
// chains that are served, never fetched.
//
// A Stapler is safe for concurrent use. Clock, jitter and the way to responders are
// Options; timers are those of package time (tests run in a synctest bubble).
package staple
