using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Mesh.Core.StepTimes;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>
/// Step times of an accelerator with a model: a built-in table by its name, or measured points. <c>prefill</c> has one time for each number
/// of tokens; <c>decode.ms</c> has a row for each context and in it a column for each batch.
/// </summary>
internal static class StepTimesReader
{
    private const int MaxPoints = 256;
    private const double MinMs = 0.001;
    private const double MaxMs = 3_600_000;

    private static readonly (string Name, StepTimeTable Table)[] _builtIn = [("h100-llama-3.1-8b", H100Llama8B.Table)];

    /// <summary>How a table is shown: a built-in one by the name that configuration gives it.</summary>
    public static string Title(StepTimeTable table) => _builtIn.FirstOrDefault(b => ReferenceEquals(b.Table, table)).Name ?? table.Name;

    public static Located<StepTimeTable>? Read(ObjectReader r)
    {
        var builtIn = r.Choice("builtIn", _builtIn);
        var prefill = r.Object("prefill", p => new Prefill(Axis(p, "tokens"), Times(p, "ms")));
        var decode = r.Object("decode",
            d => new Decode(Axis(d, "batches"), Axis(d, "contexts"), d.NumberRows("ms", MinMs, MaxMs, required: true), d.SpotOf("ms")));
        if (r.Has("builtIn") && (r.Has("prefill") || r.Has("decode")))
        {
            r.Report.Error(
                r.SpotOf("builtIn"), DiagnosticCodes.MixedShapes, $"{r.At.Path} has builtIn beside points of its own",
                "keep one of the two");
            return null;
        }

        if (builtIn is not null || r.Has("builtIn")) return builtIn;
        if (!r.Has("prefill") || !r.Has("decode"))
        {
            var missing = r.Has("prefill") ? "decode" : r.Has("decode") ? "prefill" : "builtIn, or prefill and decode";
            r.Report.Error(
                r.At, DiagnosticCodes.RequiredField, $"{r.At.Path} needs {missing}",
                $"write builtIn: {_builtIn[0].Name}, or both prefill and decode");
            return null;
        }

        if (prefill is null || decode is null || r.Report.FirstErrorUnder(r.At) is not null) return null;
        return Check(r, prefill, decode) ? new Located<StepTimeTable>(Table(prefill, decode), r.At) : null;
    }

    private static ImmutableArray<Located<double>> Axis(ObjectReader r, string name)
    {
        var points = r.Numbers(name, 0, 1e9, 2, MaxPoints, required: true);
        for (var i = 1; i < points.Length; i++)
        {
            if (points[i].Value <= points[i - 1].Value)
                r.Report.Error(
                    points[i].At, DiagnosticCodes.NotRising, $"{points[i].At.Path} is not above the point before it",
                    "list the points in rising order, each once");
        }

        return points;
    }

    private static ImmutableArray<Located<double>> Times(ObjectReader r, string name) =>
        r.Numbers(name, MinMs, MaxMs, 2, MaxPoints, required: true);

    private static bool Check(ObjectReader r, Prefill prefill, Decode decode)
    {
        if (prefill.Ms.Length != prefill.Tokens.Length)
            return Refuse(
                r, prefill.Ms[0].At with { Path = $"{r.At.Path}.prefill.ms" },
                $"has {prefill.Ms.Length} times for {prefill.Tokens.Length} numbers of tokens");
        if (decode.Ms.Length != decode.Contexts.Length)
            return Refuse(r, decode.MsAt, $"has {decode.Ms.Length} rows for {decode.Contexts.Length} contexts");
        foreach (var row in decode.Ms)
        {
            if (row.Value.Length != decode.Batches.Length)
                return Refuse(r, row.At, $"has {row.Value.Length} times for {decode.Batches.Length} batches");
        }

        // Beyond the last point the last slope goes on: a falling one would end in negative times.
        if (prefill.Ms[^1].Value < prefill.Ms[^2].Value) return Falls(r, prefill.Ms[^1].At);
        if (decode.Ms.FirstOrDefault(row => row.Value[^1] < row.Value[^2]) is { } falling) return Falls(r, falling.At);
        for (var column = 0; column < decode.Batches.Length; column++)
        {
            if (decode.Ms[^1].Value[column] < decode.Ms[^2].Value[column]) return Falls(r, decode.Ms[^1].At);
        }

        return true;
    }

    private static bool Refuse(ObjectReader r, Spot at, string what)
    {
        r.Report.Error(
            at, DiagnosticCodes.OutOfRange, $"{at.Path} {what}", "one time belongs to each point; decode.ms has one row for each context");
        return false;
    }

    private static bool Falls(ObjectReader r, Spot at)
    {
        r.Report.Error(
            at, DiagnosticCodes.NotRising, $"{at.Path}: the last time is below the one before it",
            "larger steps go on with the last slope, which must not fall");
        return false;
    }

    private static StepTimeTable Table(Prefill prefill, Decode decode)
    {
        double[] tokens = [.. prefill.Tokens.Select(t => t.Value)], times = [.. prefill.Ms.Select(t => t.Value)];
        double[] batches = [.. decode.Batches.Select(b => b.Value)], contexts = [.. decode.Contexts.Select(c => c.Value)];
        double[] decodeMs = [.. decode.Ms.SelectMany(row => row.Value)];

        // The digest makes an edited point visible wherever tables are told apart by their names.
        var text = string.Join(
            ' ', ((double[][])[tokens, times, batches, contexts, decodeMs]).SelectMany(a => a)
                .Select(n => n.ToString("R", CultureInfo.InvariantCulture)));
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 4));
        var name = $"own table of {tokens.Length} prefill and {decodeMs.Length} decode points, {digest}";
        return new StepTimeTable(name, tokens, times, batches, contexts, decodeMs);
    }

    private sealed record Prefill(ImmutableArray<Located<double>> Tokens, ImmutableArray<Located<double>> Ms);

    private sealed record Decode(
        ImmutableArray<Located<double>> Batches, ImmutableArray<Located<double>> Contexts,
        ImmutableArray<Located<ImmutableArray<double>>> Ms, Spot MsAt);
}
