using System.Globalization;

namespace Mesh.Gateway.Limits;

/// <summary>The headers by which OpenAI's API tells what a key has left: <c>x-ratelimit-{limit,remaining,reset}-{requests,tokens}</c>.</summary>
internal static class RateHeaders
{
    /// <summary>Sets them for the limits that there are.</summary>
    public static void Set(IHeaderDictionary headers, CallerRates? rates)
    {
        if (rates?.Requests is { } requests)
        {
            var (remaining, untilFull) = requests.Read();
            headers["x-ratelimit-limit-requests"] = Text(requests.PerMinute);
            headers["x-ratelimit-remaining-requests"] = Text(remaining);
            headers["x-ratelimit-reset-requests"] = Duration(untilFull);
        }

        if (rates?.Tokens is { } tokens)
        {
            var (remaining, untilFull) = tokens.Read();
            headers["x-ratelimit-limit-tokens"] = Text(tokens.PerMinute);
            headers["x-ratelimit-remaining-tokens"] = Text(remaining);
            headers["x-ratelimit-reset-tokens"] = Duration(untilFull);
        }
    }

    /// <summary>As OpenAI writes durations: <c>120ms</c>, <c>6.5s</c>, <c>1m12s</c>.</summary>
    public static string Duration(TimeSpan time)
    {
        var milliseconds = Math.Max((long)Math.Ceiling(time.TotalMilliseconds), 0);
        if (milliseconds < 1000) return string.Create(CultureInfo.InvariantCulture, $"{milliseconds}ms");
        if (milliseconds < 60_000) return string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000d:0.###}s");
        var seconds = (milliseconds + 999) / 1000;
        return string.Create(CultureInfo.InvariantCulture, $"{seconds / 60}m{seconds % 60}s");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
