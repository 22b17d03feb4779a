using System.Globalization;
using System.Text.Json;
using Mesh.Cli.Output;

namespace Mesh.Cli.Explaining;

/// <summary>One decision for people. It reads what the gateway's schema has and passes over what it does not find, so that it understands older and newer gateways.</summary>
internal sealed class DecisionText(ToolConsole console, JsonElement decision)
{
    public void Write()
    {
        console.Write($"Request {Text("request_id")}", Palette.Heading);
        console.WriteLine($": {Outcome()}");
        var facts = new Columns();
        facts.Add("reason", $"{Text("reason", "none")}: {Meaning(Text("reason"))}");
        facts.Add("pool", $"{Text("pool")}, profile {Text("profile")}");
        facts.Add("time", Text("time"));
        facts.Add("request", $"model {Text("model", "none")}, {Number(decision, "prompt_tokens")} prompt tokens, priority {Number(decision, "priority")}, attempt {Number(decision, "attempt")}");
        facts.Add("waited", Waited());
        facts.Add("candidates", $"{Number(decision, "candidate_count")} of {Endpoints()} endpoints; {Number(decision, "waiting_requests")} other requests waited");
        facts.Write(console, 2);
        WriteCandidates();
        WriteRemoved();
        WriteBackends();
        console.WriteLine();
    }

    private string Outcome() => Text("outcome") switch
    {
        "send" => $"sent to {Text("endpoint")} of {Text("backend")}",
        "forward" => $"forwarded to region {Text("region")}",
        "wait" => "waits",
        "refuse" => "refused",
        "cancelled" => "its client left before it was placed",
        var other => other,
    };

    private static string Meaning(string reason) => reason switch
    {
        "best_score" => "the picker's choice by the scores",
        "only_candidate" => "no other endpoint could take it",
        "least_cost" => "least predicted cost",
        "overflow" => "every backend of a nearer or preferred tier is at target",
        "overfill" => "every backend is at target; this one is the least overfull",
        "last_resort" => "only drained backends are left",
        "session_affinity" => "the session's own endpoint",
        "unknown_pool" => "the pool is not configured",
        "no_endpoints" => "the pool has no endpoints",
        "no_ready_endpoint" => "no endpoint is healthy and allowed",
        "unknown_model" => "no endpoint lists the model",
        "all_attempts_failed" => "every endpoint left has already failed the request",
        "too_many_leases" => "the pool has as many requests under way as it may",
        "saturated" => "every backend is at target, and the pool lets nothing wait",
        "priority_shed" => "every backend is at target, and a negative priority does not wait",
        "queue_full" => "every backend is at target, and no more requests may wait",
        "queue_evicted" => "gave up its place in the full queue to a higher priority",
        "queue_timeout" => "waited as long as the pool allows",
        "waiting" => "waits in the pool",
        _ => "not told",
    };

    private string Waited()
    {
        var waited = $"{Number(decision, "waited_ms")} ms";
        return Text("wait_reason") switch
        {
            "endpoint_has_work" => $"{waited}, for {Text("waits_for")} to have less work outstanding",
            "no_backend_below_target" => $"{waited}, for a backend below its target",
            _ => waited,
        };
    }

    private string Endpoints() => Items("backends").Any()
        ? Items("backends").Sum(b => b.TryGetProperty("endpoints", out var count) && count.TryGetInt32(out var number) ? number : 0).ToString(CultureInfo.InvariantCulture)
        : "its";

    private void WriteCandidates()
    {
        var candidates = Items("candidates").ToList();
        if (candidates.Count == 0) return;
        console.WriteLine("  Candidates, the best first (ms where no unit stands)");
        var byCost = candidates.Any(c => c.TryGetProperty("cost_ms", out _));
        var scored = candidates.Any(c => c.TryGetProperty("score", out _));
        var rows = new Columns();
        List<Columns.Cell> head = ["", "endpoint", "backend"];
        if (byCost) head.Add("cost");
        if (scored) head.Add("score");
        head.AddRange(["TTFT", "TPOT", "wait", "queued", "own", "cached tokens", "in flight", "KV in use"]);
        if (scored) head.Add("scores: weight × score");
        rows.Add([.. head.Select(c => c with { Style = Palette.Dim })]);
        foreach (var candidate in candidates)
        {
            var chosen = candidate.TryGetProperty("chosen", out var flag) && flag.ValueKind == JsonValueKind.True;
            var style = chosen ? Palette.Hint : null;
            List<Columns.Cell> cells = [new(chosen ? "→" : "", style), new(Text(candidate, "endpoint"), style), Text(candidate, "backend")];
            if (byCost) cells.Add(Number(candidate, "cost_ms"));
            if (scored) cells.Add(Number(candidate, "score"));
            foreach (var name in (ReadOnlySpan<string>)["predicted_ttft_ms", "predicted_tpot_ms", "wait_ms", "queued_ms", "own_ms", "cached_tokens", "in_flight_requests"])
                cells.Add(Number(candidate, name));
            cells.Add(Percent(candidate, "kv_utilization_ratio"));
            if (scored) cells.Add(string.Join(" + ", Items(candidate, "scores").Select(s => $"{Text(s, "scorer")} {Number(s, "weight")} × {Number(s, "score")}")));
            rows.Add([.. cells]);
        }

        rows.Write(console, 4);
    }

    private void WriteRemoved()
    {
        var filters = Items("removed_by").ToList();
        if (filters.Count == 0) return;
        console.WriteLine("  Removed by filters");
        var rows = new Columns();
        foreach (var filter in filters)
        {
            var name = Text(filter, "filter");
            var named = Items("removed").Where(r => Text(r, "filter") == name).Select(r => Text(r, "endpoint")).ToList();
            var more = filter.TryGetProperty("count", out var count) && count.TryGetInt32(out var number) && number > named.Count ? ", …" : "";
            rows.Add(name, Number(filter, "count"), new Columns.Cell(string.Join(", ", named) + (named.Count > 0 ? more : ""), Palette.Dim));
        }

        rows.Write(console, 4);
    }

    private void WriteBackends()
    {
        var backends = Items("backends").ToList();
        if (backends.Count == 0) return;
        console.WriteLine("  Backends");
        var rows = new Columns();
        foreach (var backend in backends)
        {
            var open = !backend.TryGetProperty("open", out var flag) || flag.ValueKind != JsonValueKind.False;
            rows.Add(
                Text(backend, "backend"),
                backend.TryGetProperty("fullness", out _) ? $"{Percent(backend, "fullness")} of target" : "no target, or load unknown",
                $"{Number(backend, "in_flight")} in flight",
                $"{Number(backend, "healthy")} of {Number(backend, "endpoints")} healthy",
                open ? "" : new Columns.Cell("closed: scaled to 0 or drained", Palette.Warning));
        }

        rows.Write(console, 4);
    }

    private IEnumerable<JsonElement> Items(string name) => Items(decision, name);

    private static IEnumerable<JsonElement> Items(JsonElement of, string name) =>
        of.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray().Where(e => e.ValueKind == JsonValueKind.Object) : [];

    private string Text(string name, string otherwise = "") => Text(decision, name) is { Length: > 0 } text ? text : otherwise;

    private static string Text(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static string Number(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble().ToString("0.###", CultureInfo.InvariantCulture) : "–";

    private static string Percent(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            ? (value.GetDouble() * 100).ToString("0.#", CultureInfo.InvariantCulture) + "%" : "–";
}
