using BenchmarkDotNet.Attributes;
using Mesh.Engine.Scraping;

namespace Mesh.Bench.Scraping;

/// <summary>One page of vLLM's metrics, of about 60 KB for each engine behind it, read into the figures that are wanted of it.</summary>
public class ParsePage
{
    private readonly MetricsPageParser _parser = new([]);
    private byte[] _page = [];

    [Params(1, 4)]
    public int Engines { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _page = new VllmPage { Engines = Engines }.Make();
        Console.WriteLine($"// page of {_page.Length} bytes");
    }

    [Benchmark]
    public int? Parse()
    {
        _parser.Parse(_page);
        return _parser.RunningRequests;
    }
}
