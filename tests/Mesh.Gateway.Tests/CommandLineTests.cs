using System.Net;
using System.Net.Sockets;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests;

/// <summary>A command line that is not what it was meant to be must not start another gateway than the one that was meant.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData(true, "--demo", "regions")]
    [InlineData(true, "--demo=regions")]
    [InlineData(false, "--demo", "regions", "--region", "europe-west3")]
    [InlineData(false, "--demo=regions", "--simulate=true")]
    [InlineData(false, "--demo")]
    public void Demo_WithOtherOptions_IsNotAskedFor(bool isAskedFor, params string[] args) => Assert.Equal(isAskedFor, Mesh.Gateway.Federation.Demo.RegionsDemo.IsAskedFor(args));

    [Theory]
    [InlineData("'--manifest' is no option; is --manifests meant?", "--manifest", "deploy")]
    [InlineData("'--peers' is no option; is --peer meant?", "--peers=a=http://127.0.0.1:1")]
    [InlineData("there is --demo regions", "--demo", "nothing")]
    [InlineData("which stands alone", "--region", "europe-west3", "--demo=regions")]
    [InlineData("'deploy' is no option", "deploy")]
    [InlineData("'--Logging:Level' is no option", "--Logging:Level=Debug")]
    [InlineData("--region has no value", "--manifests", "deploy", "--region")]
    [InlineData("--peer has no value", "--peer")]
    [InlineData("expected NAME=URL", "--peer", "us-east4")]
    [InlineData("There is no option 'Nothing'", "--Mesh:Nothing=1")]
    public void Read_WhatIsNoOption_IsRefusedInOneLine(string told, params string[] args)
    {
        var message = Assert.Throws<GatewayConfigurationException>(() => CommandLine.Read(args)).Message;
        Assert.Contains(told, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Read_EveryFormThatIsDocumented_IsTaken()
    {
        var options = CommandLine.Read(["--region", "a", "--bind=127.0.0.2", "Mesh:Seed=7", "--Mesh:MaxRetries", "1", "--Silo:Role=Silo", "--Mesh:SlowStartWindow=00:00:05"]);
        Assert.Equal(("a", "127.0.0.2", 7UL, 1), (options.Region, options.BindAddress, options.Seed, options.MaxRetries));
        Assert.Equal(TimeSpan.FromSeconds(5), GatewayProcess.EngineOptionsFor(options).Pool.SlowStartWindow);
    }

    [Fact]
    public void Read_ASlowStartWindowOutOfRange_IsNamed() =>
        Assert.Contains("SlowStartWindow", Assert.Throws<GatewayConfigurationException>(() => CommandLine.Read(["--Mesh:SlowStartWindow=02:00:00"])).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Run_OnAPortInUse_SaysWhatToDo()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        using var manifests = new TempFolder();
        var cluster = Directory.CreateDirectory(Path.Combine(manifests.Path, "c1"));
        await File.WriteAllTextAsync(Path.Combine(cluster.FullName, "all.yaml"), """
            apiVersion: multicluster.x-k8s.io/v1alpha1
            kind: ClusterProfile
            metadata: {name: c1, namespace: fleet-system, labels: {gke.io/region: r1, gke.io/zone: z1}, annotations: {mesh.internal/config-cluster: "true"}}
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: gw, namespace: default}
            spec:
              gatewayClassName: gke-l7-cross-regional-internal-managed-mc
              listeners: [{name: http, protocol: HTTP, port: 80}]
            """);
        using var error = new StringWriter();
        using var output = new StringWriter();
        var code = await GatewayProcess.RunAsync(["--manifests", manifests.Path, "--state", "", $"--Mesh:Listeners:80={taken.LocalEndpoint}"], output, error);
        Assert.Equal(1, code);
        Assert.Contains("address already in use", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("--Mesh:Listeners:80=", error.ToString(), StringComparison.Ordinal);
    }
}
