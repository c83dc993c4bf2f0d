// Package nodelog owns the logs that the processes of a lab leave behind: it finds
// them by node and process, and says when a line was written. It never changes a
// log, and reads one that is still being written.
package nodelog
