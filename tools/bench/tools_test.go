package main

import "testing"

const wrkSaid = `Running 1s test @ http://127.0.0.1:10000/r5000/128
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.21ms  550.00us  12.34ms   89.00%
    Req/Sec    52.70k     1.10k   53.00k    70.00%
  Latency Distribution
     50%    1.09ms
     75%    1.40ms
     90%  990.00us
     99%    5.60ms
  52710 requests in 1.01s, 15.60MB read
Requests/sec:  52189.11
Transfer/sec:     15.44MB
`

func TestWrkIsRead(t *testing.T) {
	o, err := parseWrk(wrkSaid)
	if err != nil || o.Requests != 52710 || !near(o.Took, 1.01) || !near(o.P50, 1.09) || !near(o.P99, 5.6) || o.Errors != 0 {
		t.Errorf("got %+v, %v", o, err)
	}
}

func TestEveryErrorOfWrkCounts(t *testing.T) {
	o, err := parseWrk(wrkSaid + "  Socket errors: connect 1, read 20, write 300, timeout 4000\n  Non-2xx or 3xx responses: 50000\n")
	if err != nil || o.Errors != 54321 || o.Why == "" {
		t.Errorf("got %+v, %v, want 54321 errors and their reason", o, err)
	}
	for _, bad := range []string{"", "unable to connect to 127.0.0.1:1 Connection refused\n", "1 requests in 1.0x, 1MB read"} {
		if o, err := parseWrk(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, o)
		}
	}
}

const h2Said = `starting benchmark...
spawning thread #0: 16 total client(s). Timing-based test with 0s of warm-up time and 1s of main duration for measurements.
TLS Protocol: TLSv1.3
Cipher: TLS_AES_128_GCM_SHA256
Application protocol: h2
Main benchmark duration is over for thread #0. Stopping all clients.

finished in 1.02s, 41234.00 req/s, 6.12MB/s
requests: 42059 total, 42187 started, 42059 done, 42059 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 42059 2xx, 0 3xx, 0 4xx, 0 5xx
`

func TestH2loadIsRead(t *testing.T) {
	o, err := parseH2load(h2Said)
	if err != nil || o.Requests != 42059 || !near(o.Took, 1.02) || o.Errors != 0 {
		t.Errorf("got %+v, %v", o, err)
	}
}

func TestH2loadFailures(t *testing.T) {
	const tail = "Application protocol: h2\nfinished in 950.50ms, 1 req/s, 1MB/s\nrequests: 100 total, 100 started, 90 done, 80 succeeded, 7 failed, 7 errored, 2 timeout\n"
	o, err := parseH2load(tail)
	// 7 failed, 2 timed out, and 3 were done without success or failure.
	if err != nil || o.Requests != 80 || o.Errors != 12 || !near(o.Took, 0.9505) {
		t.Errorf("got %+v, %v, want 80 requests and 12 errors", o, err)
	}
	for _, bad := range []string{"", "finished in 1.00s, 1 req/s", "Application protocol: http/1.1\n" + tail[len("Application protocol: h2\n"):]} {
		if o, err := parseH2load(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, o)
		}
	}
}
