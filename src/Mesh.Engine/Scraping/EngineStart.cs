namespace Mesh.Engine.Scraping;

/// <summary>
/// Since when the engine behind a page has been running. Its process says so, unless it serves its metrics from several processes: then the
/// start is taken to be the first reading, and the reading at which a counter had fallen, for counters fall only by beginning anew.
/// </summary>
internal sealed class EngineStart
{
    private double? _process;
    private double? _tokens;
    private double? _requests;

    /// <summary>Seconds since the Unix epoch; null when nothing is known.</summary>
    public double? Seconds { get; private set; }

    /// <summary>Takes a page's figures, each null when the page lacks it.</summary>
    /// <param name="process">Start of the server's process, seconds since the Unix epoch.</param>
    /// <param name="tokens">Prompt tokens counted.</param>
    /// <param name="requests">Requests counted.</param>
    /// <param name="now">Now, seconds since the Unix epoch.</param>
    public void Observe(double? process, double? tokens, double? requests, double now)
    {
        var fell = tokens < _tokens || requests < _requests;
        _tokens = tokens ?? _tokens;
        _requests = requests ?? _requests;
        if (process is { } started && started != _process)
        {
            _process = started;
            Seconds = started;
        }
        else if (fell || (Seconds is null && (_tokens ?? _requests) is not null))
        {
            Seconds = now;
        }
    }
}
