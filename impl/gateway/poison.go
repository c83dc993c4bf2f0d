//go:build !poison

package gateway

const poison = false
