// Package admin owns the testbed's calls of the Admin API, in the dialect of
// Apache APISIX, as evidence: every call is recorded with the span in which it
// took effect and with what is known of its outcome. It calls alone (Client) or
// as a seeded load of concurrent editors (Edit).
//
// It repeats nothing that may have happened, knows no lab and does not judge. A
// Client makes one call at a time, as a history.AdminCall demands of whoever it
// is named after; concurrent use is safe, and waits.
package admin
