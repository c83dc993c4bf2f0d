// Package certs owns certificates as clients of the gateway meet them: which one is
// served to which name, what is stapled to it, what clients must show, and the
// sessions that they may resume.
//
// It knows no network, no clock and no configuration format: engines give it the
// hello of a client by way of crypto/tls, the time is a parameter. A Table is
// immutable and shares what a change did not touch; a Server serves whatever table
// it was given last; staples are put to its pairs from outside. All are safe for concurrent use.
package certs
