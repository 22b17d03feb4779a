using Mesh.Gateway.Hosting;
using Mesh.Gateway.Limits;

namespace Mesh.Gateway.Keys;

/// <summary>The keys in force, read from options and files, and read again when a file changes; after a broken edit the last good ones stay. Thread-safe.</summary>
internal sealed partial class KeyStore : IDisposable
{
    private readonly KeyOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly RateTable _rates;
    private readonly FileWatch? _watch;
    private volatile KeySet _current;

    /// <exception cref="GatewayConfigurationException">A file cannot be read or an entry is wrong; the message names each mistake.</exception>
    public KeyStore(KeyOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        _options = options;
        _time = time;
        _log = loggers.CreateLogger<KeyStore>();
        _rates = new RateTable(time);
        var problems = new List<string>();
        // The watch begins first: what changes while it is read is then seen.
        string[] files = [.. new[] { options.File, options.Jwt.JwksFile }.Where(f => !string.IsNullOrEmpty(f)).Select(f => f!)];
        if (files.Length > 0) _watch = new FileWatch(files, KeyFile.MaxBytes, Reload, time);
        _current = Load(problems);
        if (problems.Count == 0) return;
        _watch?.Dispose();
        throw new GatewayConfigurationException(string.Join('\n', problems));
    }

    /// <summary>The keys in force.</summary>
    public KeySet Current => _current;

    public void Dispose() => _watch?.Dispose();

    private void Reload()
    {
        var problems = new List<string>();
        var next = Load(problems);
        if (problems.Count == 0)
        {
            _current = next;
            Taken(_log, next.Keys.Count);
            return;
        }

        foreach (var problem in problems) Broken(_log, problem);
        Kept(_log, problems.Count, _current.Keys.Count);
    }

    private KeySet Load(List<string> problems)
    {
        var entries = new List<(string, KeyEntry)>();
        foreach (var (id, entry) in _options.Entries.OrderBy(e => e.Key, StringComparer.Ordinal))
        {
            entries.Add(($"Mesh:Keys:Entries:{id}", entry with { Id = entry.Id ?? id }));
        }

        if (Read(_options.File, KeyFile.MaxBytes, problems) is { } text) entries.AddRange(KeyFile.Read(_options.File!, text, problems));
        TokenVerifier? tokens = null;
        if (_options.Jwt.IsConfigured)
        {
            if (string.IsNullOrEmpty(_options.Jwt.JwksFile)) problems.Add("Mesh:Keys:Jwt:JwksFile is required where tokens count as keys.");
            else if (Read(_options.Jwt.JwksFile, TokenVerifier.MaxKeySetBytes, problems) is { } keySet) tokens = TokenVerifier.Create(_options.Jwt, keySet, _rates, _time, problems);
        }

        return new KeySet(KeyTable.Compile(entries, _rates, problems), tokens);
    }

    private static byte[]? Read(string? path, int maxBytes, List<string> problems)
    {
        if (string.IsNullOrEmpty(path)) return null;
        try
        {
            return FileWatch.Read(path, maxBytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.Add($"{path} cannot be read: {e.Message}");
            return null;
        }
    }

    [LoggerMessage(1, LogLevel.Information, "The keys changed; {Count} are in force.")]
    private static partial void Taken(ILogger log, int count);

    [LoggerMessage(2, LogLevel.Error, "{Problem}")]
    private static partial void Broken(ILogger log, string problem);

    [LoggerMessage(3, LogLevel.Error, "The keys have {Errors} errors; the {Count} before stay in force.")]
    private static partial void Kept(ILogger log, int errors, int count);
}

/// <summary>Everything that a key is checked against, as one whole.</summary>
/// <param name="Keys">API keys.</param>
/// <param name="Tokens">Signed tokens; null where they do not count.</param>
internal sealed record KeySet(KeyTable Keys, TokenVerifier? Tokens);
