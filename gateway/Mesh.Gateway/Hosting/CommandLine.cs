namespace Mesh.Gateway.Hosting;

/// <summary>Options from appsettings.json, the environment and the command line, the later winning.</summary>
internal static class CommandLine
{
    private static readonly Dictionary<string, string> Switches = new(StringComparer.OrdinalIgnoreCase)
    {
        ["--manifests"] = "Mesh:Manifests",
        ["--region"] = "Mesh:Region",
        ["--bind"] = "Mesh:BindAddress",
        ["--admin"] = "Mesh:AdminAddress",
        ["--simulate"] = "Mesh:Simulate",
        ["--state"] = "Mesh:StateDirectory",
    };

    public const string Help = """
        Mesh gateway. Without options: the quick start on http://127.0.0.1:8080, with simulated endpoints.

          --manifests DIR          a directory with one folder of manifests for each cluster
          --region NAME            region that is served; all of them by default
          --bind IP                address of the listeners; 127.0.0.1 by default
          --admin IP:PORT          /metrics, /mesh/v1/decisions, /api/v1/... , /healthz and /readyz there instead of at the listeners
          --state DIR              what must outlive a restart: drains; by default a directory of this gateway's own
          --simulate true|false    simulated vLLM servers at the addresses of the manifests
          --Mesh:Listeners:80=IP:PORT   where the listener for port 80 is opened; 8080 by default
          --Mesh:NAME=VALUE        any other option: see gateway/Mesh.Gateway/README.md

        The environment (Mesh__Region=...) and appsettings.json in the working directory say the same.
        """;

    public static bool AsksForHelp(string[] args) => args.Contains("--help") || args.Contains("-h");

    /// <exception cref="GatewayConfigurationException">An option cannot be read or is out of its range; the message names all of them.</exception>
    public static GatewayOptions Read(string[] args)
    {
        try
        {
            var configuration = new ConfigurationBuilder()
                .AddJsonFile(Path.Combine(Directory.GetCurrentDirectory(), "appsettings.json"), optional: true)
                .AddEnvironmentVariables()
                .AddCommandLine(args, Switches)
                .Build();
            var section = configuration.GetSection(GatewayOptions.Section);
            var options = section.Get<GatewayOptions>(binder => binder.ErrorOnUnknownConfiguration = true) ?? new GatewayOptions();
            var result = new GatewayOptionsValidator().Validate(null, options);
            return result.Failed ? throw new GatewayConfigurationException(string.Join('\n', result.Failures)) : options;
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or InvalidDataException)
        {
            throw new GatewayConfigurationException(e.InnerException is { } inner ? $"{e.Message} {inner.Message}" : e.Message, e);
        }
    }
}
