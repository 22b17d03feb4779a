using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Regions.Reports;

namespace Mesh.Engine.Federation.Frames;

/// <summary>
/// Pools' parts of a report as sections: what changes seldom, what changes with every request, and what is hot in the caches each have one,
/// so that a report in steady state carries little more than the loads.
/// </summary>
internal static class PoolSections
{
    private const char Shape = 's';
    private const char Load = 'l';
    private const char Prefixes = 'p';
    private const char Costs = 'c';
    private const char Flows = 'f';
    private const char Places = 'h';
    private const double FlowScale = 10;
    private const int MaxFlows = 256;
    private const double CostScale = 10;
    private const int MaxCosts = 16;

    private const int MaxTiers = 8;
    private const int MaxBands = 64;
    private const int MaxLadder = 64;
    private const int MaxModels = 1024;
    private const int MaxModelBytes = 1024;
    private const int MaxPrefixes = 4096;

    /// <summary>Sections of a report.</summary>
    /// <param name="pools">The parts.</param>
    /// <param name="writer">Scratch.</param>
    public static ReportSections Write(ImmutableArray<PoolReport> pools, ByteWriter writer)
    {
        var sections = ImmutableSortedDictionary.CreateBuilder<string, byte[]>(StringComparer.Ordinal);
        foreach (var pool in pools)
        {
            if (sections.Count + 6 > ReportSections.MaxSections) break;
            var name = $"{pool.Pool.Namespace}\n{pool.Pool.Name}\n";
            Add(sections, name + Shape, writer, () => WriteShape(pool, writer));
            Add(sections, name + Load, writer, () => WriteLoad(pool, writer));
            Add(sections, name + Costs, writer, () => WriteCosts(pool, writer));
            if (pool.Hosted is { } hosted) Add(sections, name + Places, writer, () => writer.Count(hosted));
            if (!pool.Flows.IsDefaultOrEmpty) Add(sections, name + Flows, writer, () => WriteFlows(pool, writer));
            if (pool.HotPrefixes.Length > 0) Add(sections, name + Prefixes, writer, () => WritePrefixes(pool, writer));
        }

        return new ReportSections(sections.ToImmutable());
    }

    /// <summary>The parts, ordered by pool.</summary>
    /// <exception cref="InvalidDataException">The bytes are not of the form.</exception>
    public static ImmutableArray<PoolReport> Read(ReportSections report)
    {
        var pools = new SortedDictionary<PoolId, PoolReport>();
        foreach (var (key, bytes) in report.Sections)
        {
            if (key.Split('\n') is not [{ Length: > 0 } ns, { Length: > 0 } name, [var kind]]) throw new InvalidDataException("A section has a key that means nothing.");
            var id = new PoolId(ns, name);
            var pool = pools.TryGetValue(id, out var known) ? known : new PoolReport { Pool = id };
            var reader = new ByteReader(bytes);
            pools[id] = kind switch
            {
                Shape => ReadShape(pool, ref reader),
                Load => ReadLoad(pool, ref reader),
                Prefixes => ReadPrefixes(pool, ref reader),
                Costs => ReadCosts(pool, ref reader),
                Flows => ReadFlows(pool, ref reader),
                Places => pool with { Hosted = reader.Count(int.MaxValue) },
                // A later release may tell more.
                _ => pool,
            };
        }

        return [.. pools.Values];
    }

    private static void Add(ImmutableSortedDictionary<string, byte[]>.Builder sections, string key, ByteWriter writer, Action write)
    {
        writer.Clear();
        write();
        sections[key] = writer.Written.ToArray();
    }

    private static void WriteShape(PoolReport pool, ByteWriter writer)
    {
        writer.Signed(pool.Epoch);
        writer.Byte(pool.Models.IsDefault ? (byte)0 : (byte)1);
        if (pool.Models.IsDefault) return;
        writer.Count(pool.Models.Length);
        foreach (var model in pool.Models) writer.Text(model);
    }

    private static PoolReport ReadShape(PoolReport pool, ref ByteReader reader)
    {
        pool = pool with { Epoch = reader.Signed() };
        if (reader.Byte() == 0) return pool;
        var models = new string[reader.Count(MaxModels)];
        for (var i = 0; i < models.Length; i++) models[i] = reader.Text(MaxModelBytes);
        return pool with { Models = [.. models] };
    }

    private static void WriteLoad(PoolReport pool, ByteWriter writer)
    {
        writer.Count(pool.Tiers.Length);
        foreach (var tier in pool.Tiers)
        {
            writer.Byte((byte)tier.Preference);
            writer.Byte(tier.IsRate ? (byte)1 : (byte)0);
            writer.Count(tier.Endpoints);
            writer.Count(tier.Healthy);
            writer.Real(tier.TargetCapacity);
            writer.Real(tier.Load);
            writer.Real(tier.Fullness);
            writer.Real(tier.Spare);
            writer.Real(tier.Grant);
        }

        writer.Signed(pool.ReceivedEpoch);
        writer.Count(pool.Received);
        writer.Real(pool.OverflowPerSecond);
        writer.Count(pool.Waiting.Length);
        foreach (var band in pool.Waiting)
        {
            writer.Signed(band.Priority);
            writer.Count(band.Requests);
        }

        writer.Real(pool.MarginalWaitMs);
        writer.Count(pool.WaitLadderMs.Length);
        foreach (var wait in pool.WaitLadderMs) writer.Real(wait);
        writer.Real(pool.MarginalDecodeMs);
        writer.Real(pool.MsPerToken);
        writer.Real(pool.MeanWaitMs);
    }

    private static PoolReport ReadLoad(PoolReport pool, ref ByteReader reader)
    {
        var tiers = new TierReport[reader.Count(MaxTiers)];
        for (var i = 0; i < tiers.Length; i++)
        {
            var preference = (BackendPreference)reader.Byte();
            var isRate = reader.Byte() == 1;
            tiers[i] = new TierReport(preference, reader.Count(int.MaxValue), reader.Count(int.MaxValue))
            {
                IsRate = isRate,
                TargetCapacity = reader.RealOrNull(),
                Load = reader.Real(),
                Fullness = reader.RealOrNull(),
                Spare = reader.Real(),
                Grant = reader.Real(),
            };
        }

        var receivedEpoch = reader.Signed();
        var received = (long)reader.Number();
        var overflow = reader.Real();
        var waiting = new WaitingCount[reader.Count(MaxBands)];
        for (var i = 0; i < waiting.Length; i++) waiting[i] = new WaitingCount((int)reader.Signed(), reader.Count(int.MaxValue));
        var marginalWait = reader.Real();
        var ladder = new float[reader.Count(MaxLadder)];
        for (var i = 0; i < ladder.Length; i++) ladder[i] = (float)reader.Real();
        return pool with
        {
            Tiers = [.. tiers],
            ReceivedEpoch = receivedEpoch,
            Received = received,
            OverflowPerSecond = overflow,
            Waiting = [.. waiting],
            MarginalWaitMs = marginalWait,
            WaitLadderMs = [.. ladder],
            MarginalDecodeMs = reader.Real(),
            MsPerToken = reader.Real(),
            MeanWaitMs = reader.Real(),
        };
    }

    private static void WriteCosts(PoolReport pool, ByteWriter writer)
    {
        writer.Count(pool.CacheTokens);
        writer.Count(pool.CachedEver);
        var costs = pool.PromptCosts.IsDefault ? [] : pool.PromptCosts;
        writer.Count(costs.Length);
        foreach (var cost in costs)
        {
            writer.Count((long)Math.Round(Math.Min(cost.Ms, int.MaxValue) * CostScale));
            writer.Count(cost.Pushed);
        }
    }

    private static PoolReport ReadCosts(PoolReport pool, ref ByteReader reader)
    {
        pool = pool with { CacheTokens = (long)reader.Number(), CachedEver = (long)reader.Number() };
        var costs = new PromptCost[reader.Count(MaxCosts)];
        for (var i = 0; i < costs.Length; i++) costs[i] = new PromptCost((float)(reader.Number() / CostScale), reader.Count(int.MaxValue));
        return pool with { PromptCosts = [.. costs] };
    }

    private static void WriteFlows(PoolReport pool, ByteWriter writer)
    {
        writer.Count(pool.Flows.Length);
        var before = 0u;
        foreach (var flow in pool.Flows)
        {
            writer.Number(unchecked(flow.Flow - before));
            writer.Count((long)Math.Round(flow.PerSecond * FlowScale));
            before = flow.Flow;
        }
    }

    private static PoolReport ReadFlows(PoolReport pool, ref ByteReader reader)
    {
        var flows = new FlowUsage[reader.Count(MaxFlows)];
        var before = 0u;
        for (var i = 0; i < flows.Length; i++)
        {
            before = unchecked(before + (uint)reader.Number());
            flows[i] = new FlowUsage(before, (float)(reader.Number() / FlowScale));
        }

        // They are looked up by their order.
        Array.Sort(flows, static (a, b) => a.Flow.CompareTo(b.Flow));
        return pool with { Flows = [.. flows] };
    }

    private static void WritePrefixes(PoolReport pool, ByteWriter writer)
    {
        writer.Count(pool.HotPrefixes.Length);
        var before = 0u;
        foreach (var prefix in pool.HotPrefixes)
        {
            // Ordered by hash: the steps between them are shorter than the hashes.
            writer.Number(unchecked(prefix.Hash - before));
            writer.Number(prefix.Blocks);
            before = prefix.Hash;
        }
    }

    private static PoolReport ReadPrefixes(PoolReport pool, ref ByteReader reader)
    {
        var prefixes = new HotPrefix[reader.Count(MaxPrefixes)];
        var before = 0u;
        for (var i = 0; i < prefixes.Length; i++)
        {
            before = unchecked(before + (uint)reader.Number());
            prefixes[i] = new HotPrefix(before, (ushort)reader.Count(ushort.MaxValue));
        }

        return pool with { HotPrefixes = [.. prefixes] };
    }
}
