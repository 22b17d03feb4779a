using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Mesh.Core.Regions.Links;
using Mesh.Core.Routing;
using Mesh.Gateway.Errors;

namespace Mesh.Gateway.Decisions;

/// <summary>Explained decisions as JSON, in the schema of the README beside this file. Everything beyond ASCII is escaped, so that it fits into a header.</summary>
internal sealed class DecisionJson(TimeProvider time)
{
    /// <summary>Version of the schema; it rises when a field changes its meaning or goes.</summary>
    public const int Schema = 1;

    /// <summary>Most bytes of a decision in a header.</summary>
    public const int MaxHeaderBytes = 4096;

    // What a client may write as long as it likes.
    private const int MaxTextChars = 256;

    /// <summary>How much of a decision is written.</summary>
    private readonly record struct Detail(int Candidates, bool Scores, bool Surroundings);

    // A header takes the first that fits.
    private static readonly Detail[] HeaderDetails =
        [new(int.MaxValue, true, true), new(int.MaxValue, true, false), new(int.MaxValue, false, false), new(3, false, false), new(1, false, false), new(0, false, false)];

    /// <summary>The decision in at most <see cref="MaxHeaderBytes"/>: what does not fit is left out, and <c>truncated</c> says so.</summary>
    public string ForHeader(ExplainedDecision decision)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        foreach (var detail in HeaderDetails)
        {
            buffer.ResetWrittenCount();
            using (var json = new Utf8JsonWriter(buffer)) Write(json, decision, detail, truncated: detail != HeaderDetails[0]);
            if (buffer.WrittenCount <= MaxHeaderBytes) break;
        }

        return Encoding.ASCII.GetString(buffer.WrittenSpan);
    }

    /// <summary>The whole decision on one line.</summary>
    public string Line(ExplainedDecision decision)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer)) Write(json, decision, HeaderDetails[0], truncated: false);
        return Encoding.ASCII.GetString(buffer.WrittenSpan);
    }

    /// <summary><c>{"decisions":[…]}</c>.</summary>
    public ArrayBufferWriter<byte> List(ImmutableArray<ExplainedDecision> decisions)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteStartArray("decisions"u8);
        foreach (var decision in decisions) Write(json, decision, HeaderDetails[0], truncated: false);
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return buffer;
    }

    private void Write(Utf8JsonWriter json, ExplainedDecision decision, Detail detail, bool truncated)
    {
        json.WriteStartObject();
        json.WriteNumber("schema"u8, Schema);
        json.WriteString("request_id"u8, Short(decision.RequestId));
        json.WriteString("pool"u8, decision.Pool.ToString());
        json.WriteString("time"u8, TimeOf(decision));
        json.WriteString("outcome"u8, OutcomeOf(decision));
        WriteText(json, "reason"u8, decision.Reason == DecisionReason.None ? null : Refusals.NameOf(decision.Reason));
        WriteText(json, "endpoint"u8, decision.Endpoint.Address);
        WriteText(json, "backend"u8, decision.Endpoint.Address is null ? null : decision.Backend.ToString());
        if (decision.Region is { } region) json.WriteString("region"u8, region);
        if (decision.OriginRegion is { } origin) json.WriteString("origin_region"u8, origin);
        WriteText(json, "model"u8, decision.Model is { } model ? Short(model) : null);
        json.WriteNumber("priority"u8, decision.Priority);
        json.WriteNumber("prompt_tokens"u8, decision.PromptTokens);
        json.WriteNumber("attempt"u8, decision.FailedBefore + 1);
        json.WriteString("profile"u8, decision.Profile);
        WriteNumber(json, "waited_ms"u8, decision.Waited.TotalMilliseconds);
        if (decision.Ticket != 0)
        {
            json.WriteString("wait_reason"u8, decision.WaitsFor.Address is null ? "no_backend_below_target"u8 : "endpoint_has_work"u8);
            WriteText(json, "waits_for"u8, decision.WaitsFor.Address);
        }

        json.WriteNumber("waiting_requests"u8, decision.WaitingRequests);
        json.WriteNumber("candidate_count"u8, decision.CandidateCount);
        WriteCandidates(json, decision, detail);
        if (detail.Surroundings) WriteSurroundings(json, decision);
        if (truncated) json.WriteBoolean("truncated"u8, true);
        json.WriteEndObject();
    }

    private static void WriteCandidates(Utf8JsonWriter json, ExplainedDecision decision, Detail detail)
    {
        if (detail.Candidates == 0) return;
        json.WriteStartArray("candidates"u8);
        var left = detail.Candidates;
        foreach (var candidate in decision.Candidates)
        {
            var isChosen = decision.Endpoint.Address is not null && candidate.Endpoint == decision.Endpoint;
            // The chosen one is shown whatever its place.
            if (left-- <= 0 && !isChosen) continue;
            WriteCandidate(json, candidate, isChosen, detail.Scores);
        }

        json.WriteEndArray();
    }

    private static void WriteCandidate(Utf8JsonWriter json, ExplainedCandidate candidate, bool isChosen, bool withScores)
    {
        json.WriteStartObject();
        json.WriteString("endpoint"u8, candidate.Endpoint.Address);
        // One far down the list was not looked at.
        if (candidate.Backend.Cluster is not null)
        {
            json.WriteString("backend"u8, candidate.Backend.ToString());
            if (candidate.CostMs != 0) WriteNumber(json, "cost_ms"u8, candidate.CostMs);
            WriteNumber(json, "predicted_ttft_ms"u8, candidate.PredictedTtftMs);
            WriteNumber(json, "predicted_tpot_ms"u8, candidate.PredictedTpotMs);
            WriteNumber(json, "wait_ms"u8, candidate.WaitMs);
            WriteNumber(json, "queued_ms"u8, candidate.QueuedMs);
            WriteNumber(json, "own_ms"u8, candidate.OwnMs);
            WriteNumber(json, "decode_ms"u8, candidate.DecodeMs);
            WriteNumber(json, "round_trip_ms"u8, candidate.RoundTripMs);
            json.WriteNumber("cached_tokens"u8, candidate.CachedTokens);
            json.WriteNumber("in_flight_requests"u8, candidate.InFlightRequests);
            if (candidate.KvUtilizationRatio is { } utilization) WriteNumber(json, "kv_utilization_ratio"u8, utilization);
            if (candidate.Score is { } score) WriteNumber(json, "score"u8, score);
            if (withScores && candidate.Scores is { IsDefaultOrEmpty: false } scores) WriteScores(json, scores);
        }

        json.WriteBoolean("chosen"u8, isChosen);
        json.WriteEndObject();
    }

    private static void WriteScores(Utf8JsonWriter json, ImmutableArray<ExplainedScore> scores)
    {
        json.WriteStartArray("scores"u8);
        foreach (var part in scores)
        {
            json.WriteStartObject();
            json.WriteString("scorer"u8, part.Scorer);
            WriteNumber(json, "score"u8, part.Score);
            WriteNumber(json, "weight"u8, part.Weight);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteRegions(Utf8JsonWriter json, ExplainedDecision decision)
    {
        if (decision.Regions.IsDefaultOrEmpty) return;
        json.WriteStartArray("regions"u8);
        foreach (var region in decision.Regions)
        {
            json.WriteStartObject();
            json.WriteString("region"u8, region.Region);
            json.WriteString("state"u8, region.State switch { PeerLinkState.Fresh => "fresh"u8, PeerLinkState.Suspect => "suspect"u8, _ => "unreachable"u8 });
            WriteNumber(json, "round_trip_ms"u8, region.RoundTripMs);
            WriteNumber(json, "credits"u8, region.Credits);
            if (region.Fullness is { } fullness) WriteNumber(json, "fullness"u8, fullness);
            WriteNumber(json, "cost_ms"u8, region.CostMs);
            json.WriteNumber("cached_tokens"u8, region.CachedTokens);
            if (region.Excluded is { } excluded) json.WriteString("excluded"u8, excluded);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteSurroundings(Utf8JsonWriter json, ExplainedDecision decision)
    {
        WriteRegions(json, decision);
        json.WriteStartArray("removed_by"u8);
        foreach (var removal in decision.RemovedBy)
        {
            json.WriteStartObject();
            json.WriteString("filter"u8, removal.Filter);
            json.WriteNumber("count"u8, removal.Count);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("removed"u8);
        foreach (var removed in decision.Removed)
        {
            json.WriteStartObject();
            json.WriteString("endpoint"u8, removed.Endpoint.Address);
            json.WriteString("filter"u8, removed.Filter);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("backends"u8);
        foreach (var backend in decision.Backends)
        {
            json.WriteStartObject();
            json.WriteString("backend"u8, backend.Backend.ToString());
            if (backend.Fullness is { } fullness) WriteNumber(json, "fullness"u8, fullness);
            json.WriteNumber("in_flight"u8, backend.InFlight);
            json.WriteNumber("healthy"u8, backend.Healthy);
            json.WriteNumber("endpoints"u8, backend.Endpoints);
            json.WriteBoolean("open"u8, backend.Open);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    // To the millisecond: the two clocks that it comes from are not read in the same instant.
    private DateTimeOffset TimeOf(ExplainedDecision decision)
    {
        var exact = time.GetUtcNow() - time.GetElapsedTime(decision.Timestamp);
        return exact.AddTicks(-(exact.Ticks % TimeSpan.TicksPerMillisecond));
    }

    private static ReadOnlySpan<byte> OutcomeOf(ExplainedDecision decision) => decision switch
    {
        { Kind: RouteKind.Send } => "send"u8,
        { Kind: RouteKind.Forward } => "forward"u8,
        { Kind: RouteKind.Wait } => "wait"u8,
        { Reason: DecisionReason.None } => "cancelled"u8,
        _ => "refuse"u8,
    };

    private static void WriteText(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is null) json.WriteNull(name);
        else json.WriteString(name, value);
    }

    // What is not finite is not known, and JSON has no word for it.
    private static void WriteNumber(Utf8JsonWriter json, ReadOnlySpan<byte> name, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(name, Math.Round(value, 3));
        else json.WriteNull(name);
    }

    private static string Short(string text)
    {
        if (text.Length <= MaxTextChars) return text;
        // Never between the halves of a surrogate pair.
        return text[..(char.IsHighSurrogate(text[MaxTextChars - 1]) ? MaxTextChars - 1 : MaxTextChars)];
    }
}
