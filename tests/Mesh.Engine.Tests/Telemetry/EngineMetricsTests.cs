using System.Diagnostics.Metrics;
using Mesh.Core.Endpoints;
using Mesh.Engine.Http;
using Mesh.Engine.Telemetry;

namespace Mesh.Engine.Tests.Telemetry;

public sealed class EngineMetricsTests
{
    [Fact]
    public void Instruments_WhatHappens_IsCountedByOutcome()
    {
        var seen = new List<string>();
        var here = Environment.CurrentManagedThreadId;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Meter.Name == "Mesh.Engine") listening.EnableMeasurementEvents(instrument);
            },
        };
        // Engines of other tests run at the same time, on other threads.
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            if (Environment.CurrentManagedThreadId == here) seen.Add($"{instrument.Name} {value} {instrument.Unit} {tags[0].Key}={tags[0].Value}");
        });
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) =>
        {
            if (Environment.CurrentManagedThreadId == here) seen.Add($"{instrument.Name} {value} {instrument.Unit}");
        });
        listener.Start();

        using var metrics = new EngineMetrics();
        metrics.Scraped(IoFailureKind.None, TimeSpan.FromMilliseconds(5));
        metrics.Scraped(IoFailureKind.TooLarge, TimeSpan.FromSeconds(1));
        metrics.Probed(IoFailureKind.Connect);
        metrics.Listed(IoFailureKind.Malformed);
        metrics.HealthChanged(EndpointHealth.Unhealthy);

        Assert.Equal(
            [
                "mesh.engine.scrapes 1 {scrape} outcome=success",
                "mesh.engine.scrape.duration 0.005 s",
                "mesh.engine.scrapes 1 {scrape} outcome=too_large",
                "mesh.engine.scrape.duration 1 s",
                "mesh.engine.probes 1 {probe} outcome=connect",
                "mesh.engine.model_lists 1 {list} outcome=malformed",
                "mesh.engine.health.changes 1 {change} state=unhealthy",
            ],
            seen);
    }

    [Fact]
    public void Instruments_AreThoseOfTheDefinitions_AndTellTheirEngineApart()
    {
        var published = new List<string>();
        var owner = new object();
        using var metrics = new EngineMetrics(owner);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (ReferenceEquals(instrument.Meter.Scope, owner)) published.Add($"{instrument.Name} {instrument.Unit} {instrument.Description}");
            },
        };
        listener.Start();
        Assert.Equal(EngineInstruments.All.Select(d => $"{d.MeterName} {d.Unit} {d.Meaning}").Order(), published.Order());
    }
}
