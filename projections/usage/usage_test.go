package usage_test

import (
	"testing"

	"rollcall/projections/internal/projectiontest"
	"rollcall/projections/usage"
)

func TestGolden(t *testing.T) { projectiontest.Golden(t, usage.Projection()) }

func TestAnyBatching(t *testing.T) { projectiontest.AnyBatching(t, usage.Projection()) }
