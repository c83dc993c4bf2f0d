package main

import (
	"fmt"
	"strings"
	"time"
)

// Kinds of load.
const (
	byWrk       = "wrk"       // as many requests as go, HTTP/1.1
	byH2load    = "h2load"    // as many requests as go, HTTP/2
	byClock     = "open-loop" // requests at fixed moments
	byHandshake = "handshake" // a connection and a TLS handshake for each request
	byIdle      = "idle"      // connections that do nothing: memory
)

// What a row asks of a gateway beside plain HTTP/1.1.
const (
	needTLS = "TLS"
	needH2  = "HTTP/2"
)

// A Row is one load and what is to be reached under it. The zero value of each field
// but Load, About and By is the plain choice.
type Row struct {
	Load    string
	About   string
	By      string
	Body    string // the last part of the path, of the responder's answers; "128"
	Conns   int    // 64
	Streams int    // of each connection, HTTP/2
	Rate    int    // requests a second, byClock
	Workers int    // 1
	Slice   time.Duration
	Head    bool    // a head as browsers send it: eight more fields
	Log     bool    // the proxies write an access log
	Quota   float64 // cores that a proxy may use
	TLS     bool
	Routes  int  // of our gateway; the others have one
	Spread  bool // the requests go over all routes
	Change  bool // a change of configuration comes into force in each slice
	Needs   string
	Targets []Target
}

// Defaults of rows.
const (
	plainRoutes  = 10_000
	manyRoutes   = 100_000
	plainSlice   = time.Second
	slowSlice    = 3 * time.Second // where a second has few requests: what is under way at its end is not counted
	idleConns    = 8_000
	memoryRounds = 3
)

// Targets that many rows share. Every CPU row is to cost no more than HAProxy.
var (
	smallBody = []Target{atMost(cpuVsNginx, 0.80), atMost(cpuVsHAProxy, 0.70)}
	lowRate   = []Target{atMost(cpuVsNginx, 1), atMost(cpuVsHAProxy, 1)}
)

func cpuAtMost(bound float64) []Target {
	return []Target{atMost(cpuVsNginx, bound), atMost(cpuVsHAProxy, 1)}
}

// rows is what the benchmark measures, in this order. Our gateway has 10 000 routes
// and active health checks in all of them.
var rows = []Row{
	{Load: "h1-128b", About: "HTTP/1.1, 128 bytes, 64 connections, saturated", By: byWrk, Targets: smallBody},
	{Load: "h1-16k", About: "the same, 16 KiB", By: byWrk, Body: "16k", Targets: cpuAtMost(0.85)},
	{Load: "h1-1m", About: "1 MiB, 16 connections", By: byWrk, Body: "1m", Conns: 16, Slice: slowSlice, Targets: cpuAtMost(0.65)},
	{Load: "h1-head", About: "128 bytes, a head as browsers send it", By: byWrk, Head: true, Targets: smallBody},
	{Load: "h1-c512", About: "128 bytes, 512 connections", By: byWrk, Conns: 512, Targets: smallBody},
	{Load: "h1-w2", About: "128 bytes, 2 workers, everything on both cores", By: byWrk, Workers: 2, Targets: smallBody},
	{Load: "h1-log", About: "128 bytes, access log on a file system in memory", By: byWrk, Log: true, Targets: smallBody},
	{Load: "h1-quota40", About: "128 bytes, the proxy has 40 % of a core", By: byWrk, Quota: 0.4, Targets: []Target{atLeast(rpsVsNginx, 1.25), atMost(cpuVsHAProxy, 1)}},
	{Load: "h1-open-half", About: "128 bytes, 12 000 requests a second at fixed moments: about half load", By: byClock, Rate: 12_000, Slice: slowSlice, Targets: lowRate},
	{Load: "h1-open-2k", About: "128 bytes, 2 000 requests a second at fixed moments", By: byClock, Rate: 2_000, Slice: slowSlice, Targets: lowRate},
	{Load: "h1-routes-10k", About: "128 bytes, requests spread over all 10 000 routes", By: byWrk, Spread: true, Targets: smallBody},
	{Load: "h1-routes-100k", About: "128 bytes, requests spread over 100 000 routes", By: byWrk, Spread: true, Routes: manyRoutes, Targets: smallBody},
	{Load: "h1-reload", About: "128 bytes, in each slice nginx and HAProxy reload, and one route of ours changes", By: byWrk, Change: true, Targets: cpuAtMost(1)},
	{Load: "tls-128b", About: "TLS 1.3, 128 bytes, 64 kept connections", By: byWrk, TLS: true, Needs: needTLS, Targets: cpuAtMost(0.70)},
	{Load: "tls-handshake", About: "TLS 1.3, a full handshake for each request of 128 bytes", By: byHandshake, TLS: true, Needs: needTLS, Targets: cpuAtMost(0.95)},
	{Load: "tls-1m", About: "TLS 1.3, 1 MiB, 16 kept connections", By: byWrk, Body: "1m", Conns: 16, Slice: slowSlice, TLS: true, Needs: needTLS, Targets: cpuAtMost(1)},
	{Load: "h2-16x8", About: "HTTP/2 over TLS, 128 bytes, 16 connections of 8 streams", By: byH2load, Conns: 16, Streams: 8, TLS: true, Needs: needH2, Targets: cpuAtMost(0.75)},
	{Load: "h2-64x1", About: "HTTP/2 over TLS, 128 bytes, 64 connections of 1 stream", By: byH2load, Conns: 64, Streams: 1, TLS: true, Needs: needH2, Targets: cpuAtMost(0.75)},
	{Load: "idle-8000", About: "memory of 8 000 idle connections after one request each", By: byIdle, Conns: idleConns, Targets: []Target{atMost(memoryVsNginx, 1)}},
	{Load: "idle-8000-tls", About: "the same with TLS", By: byIdle, Conns: idleConns, TLS: true, Needs: needTLS, Targets: []Target{atMost(memoryVsNginx, 1.25)}},
}

// filled is the row with its defaults.
func (r Row) filled() Row {
	if r.Body == "" {
		r.Body = "128"
	}
	if r.Conns == 0 {
		r.Conns = 64
	}
	if r.Workers == 0 {
		r.Workers = 1
	}
	if r.Slice == 0 {
		r.Slice = plainSlice
	}
	if r.Routes == 0 {
		r.Routes = plainRoutes
	}
	return r
}

// chooseRows finds the named rows; all of them when none is named. The end of a name
// may be left out: "h2" is all of HTTP/2.
func chooseRows(names string) ([]Row, error) {
	if names == "" {
		return rows, nil
	}
	taken := map[string]bool{}
	for name := range strings.SplitSeq(names, ",") {
		found := false
		for _, r := range rows {
			if name != "" && (r.Load == name || strings.HasPrefix(r.Load, name) && !isRow(name)) {
				taken[r.Load], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("no row %q; -list names them", name)
		}
	}
	var out []Row
	for _, r := range rows {
		if taken[r.Load] {
			out = append(out, r)
		}
	}
	return out, nil
}

func isRow(name string) bool {
	for _, r := range rows {
		if r.Load == name {
			return true
		}
	}
	return false
}
