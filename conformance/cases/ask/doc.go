// Package ask owns how cases ask a gateway, and how they say what they got: a
// session of one client, requests with the backend that must answer, calls of
// the Admin API that must be refused. It judges single answers; judging a history
// is package check's work. Nothing here keeps state.
package ask
