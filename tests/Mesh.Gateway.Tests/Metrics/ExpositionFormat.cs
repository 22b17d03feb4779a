using System.Globalization;
using System.Text.RegularExpressions;

namespace Mesh.Gateway.Tests.Metrics;

/// <summary>Reads Prometheus' text format as strictly as its own tools: help and type before the samples of a metric, no metric in two places, no series twice.</summary>
internal static partial class ExpositionFormat
{
    public static Dictionary<string, double> Parse(string page)
    {
        var samples = new Dictionary<string, double>();
        var types = new Dictionary<string, string>();
        string? current = null, helped = null;
        Assert.EndsWith("\n", page, StringComparison.Ordinal);
        foreach (var line in page[..^1].Split('\n'))
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                var parts = line.Split(' ', 4);
                helped = parts[2];
                Assert.NotEmpty(parts[3]);
                continue;
            }

            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                var parts = line.Split(' ');
                Assert.Equal(helped, parts[2]);
                Assert.True(types.TryAdd(parts[2], parts[3]), $"{parts[2]} stands twice");
                Assert.Equal(parts[3] == "counter", parts[2].EndsWith("_total", StringComparison.Ordinal));
                current = parts[2];
                continue;
            }

            var match = Sample().Match(line);
            Assert.True(match.Success, $"not a sample: {line}");
            var name = match.Groups["name"].Value;
            var family = types[current!] == "histogram" ? Suffix().Replace(name, "") : name;
            Assert.Equal(current, family);
            Assert.True(samples.TryAdd(line[..match.Groups["value"].Index].TrimEnd(), double.Parse(match.Groups["value"].Value, CultureInfo.InvariantCulture)), $"twice: {line}");
        }

        return samples;
    }

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*",?)*\})? (?<value>\S+)$""")]
    private static partial Regex Sample();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Suffix();
}
