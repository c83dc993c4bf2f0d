package lbc

import "time"

// Limits of the tenant model. They keep one object small enough for etcd and
// one publication short enough to be waited for.
const (
	maxBodyBytes        = 1 << 20
	maxTargetsPerGroup  = 200
	maxListenersPerLB   = 50
	maxRulesPerListener = 100
	maxHostsPerRule     = 20
	maxPathsPerRule     = 20
	maxMethodsPerRule   = 10
	maxTenantLength     = 64  // bytes
	maxHostLength       = 253 // bytes, as DNS
	maxPathLength       = 1024
	maxWeight           = 1000
	maxPriority         = 1 << 20 // and its negative
	maxProbeSeconds     = 300     // interval and timeout of health checks
	maxProbeCount       = 254     // rise and fall; the limit of APISIX's schema
)

// Limits of operations and waits.
const (
	maxOperations     = 2000             // kept in etcd; older ones go
	maxOperationAge   = 24 * time.Hour   // likewise
	maxPendingPerUnit = 100              // operations that wait for one object; one commit (128 ops) finishes them
	maxOperationWait  = 60 * time.Second // ?wait= of a request; also the longest wait of a status listener
	writeTimeout      = 15 * time.Second // one request that changes the model
	writeAttempts     = 50               // commits of one such request
	maxErrorLength    = 512              // bytes of the cause in an operation
	writePause        = 200 * time.Millisecond
	probeTimeout      = time.Second     // one question to a status listener that needs no waiting
	maxProbesAtOnce   = 1024            // questions under way to status listeners, per wait
	keptConns         = 4               // idle connections to one status listener
	maxTrackers       = 32              // operations that a replica follows at a time
	trackTimeout      = 5 * time.Minute // how long the publishing replica follows an operation
)
